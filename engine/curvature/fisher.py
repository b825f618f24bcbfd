"""The block Fisher of one layer, from gradients in memory or from pages on disk."""

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.curvature.blocks import DualBlocks
from engine.curvature.layout import Layout, LiveWeights, runs_of_blocks
from engine.curvature.primal import PrimalBlocks
from engine.curvature.sweep import eliminate, row_pieces
from engine.curvature.within import within
from engine.gradients.pages import Pages
from engine.gradients.prefetch import prefetched
from engine.monitor import Monitor, Progress


class BlockFisher:
    """Inverse of the damped block empirical Fisher of one layer.

    Args:
        rows: Gradients (N, numel), zero where a weight is removed, or those of the live
            weights alone (N, live).
        live: (numel,) bool, True = kept.
        block_size: See `Layout`.
        damping: Added to the diagonal.
        monitor: Checked, and told of progress, while weights are eliminated.
        width: See `Layout`.
        settled: See `Blocks`; then `diag` is not available.
        draws: Bootstrap samples (draws, N): the root of how often each gradient comes.

    Attributes:
        damping: (blocks,) used in the end.
        raised: Blocks whose damping had to grow.
        weights: That are live.
        largest: The largest damping used.
        squares: Sum of all squared gradients over N; 0 when settled.
        resampled: Diagonals (draws, numel) float32 by the bootstrap samples; or None.

    Raises:
        torch.linalg.LinAlgError: A block has no inverse whatever the damping.
    """

    def __init__(
        self,
        rows: Tensor,
        live: Tensor,
        block_size: int,
        damping: float,
        monitor: Monitor,
        width: int = 1,
        settled: Tensor | None = None,
        draws: Tensor | None = None,
    ) -> None:
        self._layout = Layout(live, block_size, width)
        self._damping, self._monitor = damping, monitor
        gradients = self._layout.gather_rows(rows)
        kind = PrimalBlocks if gradients.shape[1] > gradients.shape[2] else DualBlocks
        self._blocks = kind(gradients, damping, settled)
        self.damping, self.weights = self._blocks.damping, int(live.sum())
        self.raised = int((self.damping > damping).sum())
        self.largest = float(self.damping.max())
        self.squares = self._blocks.squares
        self.resampled = None
        if draws is not None:
            self.resampled = torch.stack([self._drawn(gradients, d) for d in draws])

    def _drawn(self, gradients: Tensor, draw: Tensor) -> Tensor:
        """The diagonal by one bootstrap sample (numel,) float32."""
        self._monitor.check()
        found = type(self._blocks)(gradients * draw[:, None], self._damping).diag
        return self._layout.scatter(found, fill=1 / self._damping).float()

    def diag(self) -> Tensor:
        """Diagonal of F^-1; 1 / damping for removed weights."""
        return self._layout.scatter(self._blocks.diag, fill=1 / self._damping)

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v on the live weights."""
        return self._layout.scatter(self._blocks.solve(self._layout.gather(vector)))

    def within(self, groups: Tensor) -> Tensor:
        """Members in different blocks do not interact."""
        return within(self._blocks, self._layout.places()[groups])

    def greedy(self, weights: Tensor) -> Tensor:
        """In every block by itself, from its dense inverse."""
        values, live = self._layout.gather(weights), self._layout.filled
        slots = torch.arange(values.shape[1], device=values.device)
        losses = torch.zeros_like(values)
        parts = tuple(row_pieces(*values.shape))
        for part in self._monitor.track(parts, "Elimination"):
            every = slots.expand(part.stop - part.start, 1, -1)
            inverse = self._blocks.among(part, every)[:, 0]
            losses[part] = eliminate(values[part], live[part], inverse)
        return self._layout.scatter(losses)

    def joint(self, weights: Tensor, removed: Tensor) -> tuple[Tensor, float]:
        """Exact per block; blocks do not see each other."""
        steps, losses = self._blocks.joint(
            self._layout.gather(weights), self._layout.gather(removed, fill=True)
        )
        return self._layout.scatter(steps), float(losses.sum())

    def pieces(self, removed: Tensor) -> Iterator[tuple[slice, "BlockFisher"]]:
        """All of it is in memory."""
        if removed.any():
            yield slice(None), self


class PagedFisher:
    """`BlockFisher` of a layer whose gradients stay on disk, a run of blocks at a time.

    Only the diagonal and the dampings are kept; each solve reads the gradients again
    and makes the factors anew, so the memory does not grow with the layer. The results
    are those of `BlockFisher`.

    Args:
        pages: Gradients (N, numel).
        live: (numel,) bool, True = kept.
        block_size: See `Layout`.
        damping: Added to the diagonal.
        monitor: Checked before each page.
        progress: Counts the weights whose curvature is known.
        draws: See `BlockFisher`.
    """

    def __init__(
        self,
        pages: Pages,
        live: Tensor,
        block_size: int,
        damping: float,
        monitor: Monitor,
        progress: Progress,
        draws: Tensor | None = None,
    ) -> None:
        self._draws = draws
        self._pages, self._live, self._monitor = pages, live, monitor
        self._size, self._given = min(block_size or len(live), len(live)), damping
        self._width = Layout(live, self._size).index.shape[1]
        each = self._size * pages.shape[0] * pages.dtype.itemsize
        self._runs = runs_of_blocks(live, self._size, max(1, pages.page // each))
        self._settled: list[Tensor | None] = [None] * len(self._runs)

        found = []
        for at, fisher in self.pieces():
            known = (fisher.diag(), fisher.damping, fisher.squares, fisher.resampled)
            found.append(known)
            del fisher  # before the next one is made
            progress.advance(at.stop - at.start)
        diags, self._settled, squares, resampled = map(list, zip(*found, strict=True))
        self._diag, self.damping = torch.cat(diags), torch.cat(self._settled)
        self.squares, self.weights = sum(squares), int(live.sum())
        self.resampled = None if draws is None else torch.cat(resampled, 1)
        self._draws = None  # later looks are for solves
        self.raised = sum(int((each > damping).sum()) for each in self._settled)
        self.largest = max(float(each.max()) for each in self._settled)

    def diag(self) -> Tensor:
        """Diagonal of F^-1; 1 / damping for removed weights."""
        return self._diag

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v on the live weights."""
        return torch.cat([fisher.solve(vector[at]) for at, fisher in self.pieces()])

    def within(self, groups: Tensor) -> Tensor:
        """Members in different blocks do not interact."""
        found = self._diag.new_zeros(*groups.shape, groups.shape[1])
        for at, fisher in self.pieces():
            here = (groups >= at.start) & (groups < at.stop)
            some = here.any(1).nonzero().squeeze(1)
            members = torch.where(here, groups - at.start, at.stop - at.start)
            found.index_add_(0, some, fisher.within(members[some]))
        return found

    def greedy(self, weights: Tensor) -> Tensor:
        """In every block by itself, from its dense inverse."""
        return torch.cat([fisher.greedy(weights[at]) for at, fisher in self.pieces()])

    def pieces(
        self, removed: Tensor | None = None
    ) -> Iterator[tuple[slice, BlockFisher]]:
        """Page by page, the next one read meanwhile; None is every page.

        Rows that are not finite raise, as in memory.
        """
        wanted = [
            (at, settled)
            for at, settled in zip(self._runs, self._settled, strict=True)
            if removed is None or removed[at].any()
        ]
        for (at, settled), rows in prefetched(wanted, self._read):
            self._monitor.check()
            yield at, self._fisher(rows, at, settled)

    def _read(self, piece: tuple[slice, Tensor | None]) -> Tensor:
        """Live weights alone where they may lie far apart."""
        at, _ = piece
        apart = isinstance(self._size, LiveWeights)
        return finite(self._pages.read(at, self._live[at] if apart else None))

    def _fisher(self, rows: Tensor, at: slice, settled: Tensor | None) -> BlockFisher:
        return BlockFisher(
            rows,
            self._live[at],
            self._size,
            self._given,
            self._monitor,
            self._width,
            settled,
            self._draws,
        )


def finite(rows: Tensor) -> Tensor:
    """The rows, or FloatingPointError; two numbers tell, without a copy."""
    if rows.numel() and not all(bound.isfinite() for bound in rows.aminmax()):
        raise FloatingPointError("gradients are not finite")
    return rows
