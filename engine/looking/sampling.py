"""Sampling: some weights of every layer, and the blocks of curvature they are in."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine import seeds
from engine.curvature.layout import runs_of_blocks
from engine.looking.sample import Sample, SampledLayer
from engine.masks import Masks
from engine.problem import Problem
from engine.steering.study import other_names

BLOCKS = 400  # most that are looked at
FEWEST = 8  # weights of a layer, if it has so many


@dataclass(frozen=True)
class Piece:
    """A block of a vector of weights.

    Attributes:
        vector: A layer's name, or the one of all layers together.
        columns: Of the vector.
        live: (columns,) bool, which of those are live.
        slots: (m,) which of the live ones are looked at, rising.
    """

    vector: str
    columns: slice
    live: Tensor
    slots: Tensor


@dataclass(frozen=True)
class Drawn:
    """What is looked at.

    Attributes:
        positions: (m,) in each flattened layer, rising.
        pieces: Their blocks; one after the other they hold the weights layer by layer.
        blocks: Of curvature there are in all.
    """

    positions: dict[str, Tensor]
    pieces: tuple[Piece, ...]
    blocks: int


def draw_weights(
    masks: Masks, whole: str, block_size: int, most: int, seed: int
) -> Drawn:
    """Live weights of every layer in proportion, in at most about `BLOCKS` blocks.

    Args:
        masks: True = kept.
        whole: Name of the vector that joins the live weights of all layers; empty where
            every layer is a vector of its own.
        block_size: Of the blocks of a vector, see `Layout`; 0 is all of it.
        most: Weights in all, about.
        seed: Decides which.
    """
    stream = seeds.generator(seed, "sampled weights")
    flat = {name: mask.reshape(-1).cpu() for name, mask in masks.items()}
    live = {name: mask.nonzero().squeeze(1) for name, mask in flat.items()}
    total = sum(map(len, live.values()))
    vectors = {whole: torch.ones(total, dtype=torch.bool)} if whole else flat
    places, start = {}, 0  # of the live weights in their vector
    for name, at in live.items():
        places[name] = torch.arange(start, start + len(at)) if whole else at
        start += len(at)
    runs = {name: runs_of_blocks(mask, block_size, 1) for name, mask in vectors.items()}
    blocks = sum(map(len, runs.values()))
    positions, chosen = {}, {name: [] for name in vectors}
    for name, at in live.items():
        vector = whole or name
        block = _block(places[name], runs[vector])
        among = _some(block.unique(), min(1.0, BLOCKS / blocks), stream)
        there = torch.isin(block, among).nonzero().squeeze(1)
        count = max(round(most * len(at) / max(total, 1)), FEWEST)
        taken = there[torch.randperm(len(there), generator=stream)[:count]].sort()[0]
        positions[name] = at[taken]
        chosen[vector].append(places[name][taken])
    pieces = [
        piece
        for name, mask in vectors.items()
        for piece in _pieces(name, mask, torch.cat(chosen[name]), runs[name])
    ]
    return Drawn(positions, tuple(pieces), blocks)


def some_of(positions: dict[str, Tensor], share: float) -> Tensor:
    """Which of the weights (m,) are in a sample of the sample: every layer in part."""
    parts = []
    for at in positions.values():
        count = min(len(at), max(round(share * len(at)), FEWEST))
        taken = torch.zeros(len(at), dtype=torch.bool)
        taken[torch.linspace(0, max(len(at) - 1, 0), count).round().long()] = True
        parts.append(taken)
    return torch.cat(parts)


def sample_of(
    problem: Problem,
    masks: Masks,
    uses: dict[str, float],
    positions: dict[str, Tensor],
    few: Tensor | None = None,
) -> Sample:
    """The sample in numbers: all weights at these positions, or a few (m,) bool."""
    others, layers, start = other_names(problem.model), [], 0
    for name, at in positions.items():
        end = start + len(at)
        taken = len(at) if few is None else int(few[start:end].sum())
        live, size = int(masks[name].sum()), masks[name].numel()
        layers.append(SampledLayer(name, others[name], taken, live, size, uses[name]))
        start = end
    return Sample(tuple(layers))


def _some(blocks: Tensor, share: float, stream: torch.Generator) -> Tensor:
    count = max(round(share * len(blocks)), 1)
    return blocks[torch.randperm(len(blocks), generator=stream)[:count]]


def _block(places: Tensor, runs: list[slice]) -> Tensor:
    """Which of the blocks each place is in."""
    ends = torch.tensor([run.stop for run in runs])
    return torch.searchsorted(ends, places, right=True)


def _pieces(
    vector: str, mask: Tensor, chosen: Tensor, runs: list[slice]
) -> list[Piece]:
    found = []
    for block in _block(chosen, runs).unique().tolist():
        columns = runs[block]
        live = mask[columns]
        here = chosen[(chosen >= columns.start) & (chosen < columns.stop)]
        slots = live.cumsum(0)[here - columns.start] - 1
        found.append(Piece(vector, columns, live, slots))
    return found
