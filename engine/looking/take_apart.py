"""Taking apart: the spectra of sampled blocks, and what is asked of each once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.curvature.parallel import in_parallel
from engine.curvature.spectrum import Spectrum
from engine.errors import RunError
from engine.gradients.collector import Rows
from engine.gradients.pages import Pages
from engine.looking.damping import BlockSample
from engine.looking.sampling import Piece
from engine.monitor import Monitor

Found = tuple[BlockSample, np.ndarray, np.ndarray]


class Gradients:
    """Rows of gradients by vector, in memory or in pages.

    Attributes:
        count: Rows (N).
        device: Where they are computed with.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        first = next(iter(rows.values()))
        self.count, self.device = first.shape[0], first.device

    def of(self, piece: Piece) -> Tensor:
        """Those of a block's live weights (N, width).

        Raises:
            RunError: They are not finite.
        """
        rows, columns = self._rows[piece.vector], piece.columns
        if isinstance(rows, Pages):
            found = rows.read(columns, piece.live)
        else:
            found = rows[:, columns]
            if not piece.live.all():
                found = found[:, piece.live.to(self.device)]
        if not all(bound.isfinite() for bound in found.aminmax()):
            raise RunError(
                f"The gradients of {piece.vector} are not finite.",
                "Check that the checkpoint, the normalisation and the network's output "
                "kind fit together.",
            )
        return found


@dataclass(frozen=True)
class Asked:
    """What to find out.

    Attributes:
        weights: (m,) of all pieces one after the other.
        few: (m,) bool, those that the costly questions are about.
        damping: Of the recipe.
        grid: Dampings for losses by gradients left out.
        counts: (rows, N) how often each gradient comes, see `Spectrum.reweighted`.
    """

    weights: Tensor
    few: Tensor
    damping: float
    grid: np.ndarray
    counts: Tensor


def mean_diagonal(
    gradients: Gradients, pieces: tuple[Piece, ...], monitor: Monitor
) -> float:
    """Mean of diag F without damping over the blocks."""
    squares, columns = 0.0, 0
    for piece in monitor.track(pieces, "Scale of the Fisher"):
        rows = gradients.of(piece)
        squares += float(rows.square().sum(dtype=torch.float64))
        columns += rows.shape[1]
    return squares / max(columns * gradients.count, 1)


def take_apart(
    gradients: Gradients, pieces: tuple[Piece, ...], asked: Asked, monitor: Monitor
) -> tuple[tuple[BlockSample, ...], np.ndarray, np.ndarray]:
    """Each block's spectrum is made once, a core each, and let go.

    Returns:
        What is kept of the spectra, losses by gradients left out (dampings, few), and
        diagonals of the inverse by the counts (rows, few).

    Raises:
        RunError: Gradients are not finite.
    """
    step, todo, found = torch.get_num_threads(), list(_places(pieces)), []
    groups = [todo[at : at + step] for at in range(0, len(todo), step)]
    for group in monitor.track(groups, "Spectra"):
        found += in_parallel(
            lambda item: _answer(gradients, *item, asked), group, gradients.device
        )
    blocks, losses, diags = zip(*found, strict=True)
    return blocks, np.concatenate(losses, 1), np.concatenate(diags, 1)


def _places(pieces: tuple[Piece, ...]) -> Iterator[tuple[Piece, slice]]:
    """Where the weights of each piece are among all."""
    start = 0
    for piece in pieces:
        yield piece, slice(start, start + len(piece.slots))
        start += len(piece.slots)


def _answer(gradients: Gradients, piece: Piece, here: slice, asked: Asked) -> Found:
    device = gradients.device
    spectrum = Spectrum(gradients.of(piece), piece.slots.to(device))
    few = asked.few[here].nonzero().squeeze(1).to(device)
    weights = asked.weights[here][few]
    left = [spectrum.left_out(float(each), weights, few) for each in asked.grid]
    counts = asked.counts.to(device)
    diags = [spectrum.reweighted(each, asked.damping, few) for each in counts]
    kept = BlockSample(
        spectrum.values.cpu().numpy(),
        spectrum.squares.float().cpu().numpy(),
        spectrum.rest.cpu().numpy(),
    )
    return kept, torch.stack(left).cpu().numpy(), torch.stack(diags).cpu().numpy()
