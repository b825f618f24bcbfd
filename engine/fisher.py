"""The block Fisher of one layer, from gradients in memory or from pages on disk."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from engine.blocks import DualBlocks, PrimalBlocks
from engine.layout import Layout
from engine.monitor import Monitor
from engine.pages import Pages

Answer = TypeVar("Answer")


class BlockFisher:
    """Inverse of the damped block empirical Fisher of one layer.

    Args:
        rows: Gradients (N, numel), zero where a weight is removed.
        live: (numel,) bool, True = kept.
        block_size: Neighbouring weights per block; 0 is the whole layer.
        damping: Added to the diagonal.
        width: See `Layout`.
        settled: See `Blocks`; then `diag` is not available.

    Attributes:
        damping: (blocks,) used in the end.
        raised: Blocks whose damping had to grow.
        largest: The largest damping used.

    Raises:
        torch.linalg.LinAlgError: A block has no inverse whatever the damping.
    """

    def __init__(
        self,
        rows: Tensor,
        live: Tensor,
        block_size: int,
        damping: float,
        width: int = 1,
        settled: Tensor | None = None,
    ) -> None:
        self._layout = Layout(live, block_size, width)
        self._damping = damping
        gradients = self._layout.gather_rows(rows)
        kind = PrimalBlocks if gradients.shape[1] > gradients.shape[2] else DualBlocks
        self._blocks = kind(gradients, damping, settled)
        self.damping = self._blocks.damping
        self.raised = int((self.damping > damping).sum())
        self.largest = float(self.damping.max())

    def diag(self) -> Tensor:
        """Diagonal of F^-1; 1 / damping for removed weights."""
        return self._layout.scatter(self._blocks.diag, fill=1 / self._damping)

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v on the live weights."""
        return self._layout.scatter(self._blocks.solve(self._layout.gather(vector)))

    def joint(self, weights: Tensor, removed: Tensor) -> tuple[Tensor, float]:
        """Exact per block; blocks do not see each other."""
        steps, losses = self._blocks.joint(
            self._layout.gather(weights), self._layout.gather(removed, fill=True)
        )
        return self._layout.scatter(steps), float(losses.sum())


class PagedFisher:
    """`BlockFisher` of a layer whose gradients stay on disk, a run of blocks at a time.

    Only the diagonal and the dampings are kept; each solve reads the gradients again
    and makes the factors anew, so the memory does not grow with the layer. The results
    are those of `BlockFisher`.

    Args:
        pages: Gradients (N, numel).
        live: (numel,) bool, True = kept.
        block_size: Neighbouring weights per block; 0 is the whole layer.
        damping: Added to the diagonal.
        monitor: Checked before each page.
    """

    def __init__(
        self,
        pages: Pages,
        live: Tensor,
        block_size: int,
        damping: float,
        monitor: Monitor,
    ) -> None:
        self._pages, self._live, self._monitor = pages, live, monitor
        self._size, self._given = min(block_size or len(live), len(live)), damping
        self._width = max(int(part.sum()) for part in live.split(self._size))
        self._settled: list[Tensor | None] = [None] * len(self._columns())
        found = self._each(lambda _, fisher: (fisher.diag(), fisher.damping))
        self._diag = torch.cat([diag for diag, _ in found])
        self._settled = [damping for _, damping in found]
        self.raised = sum(int((each > damping).sum()) for each in self._settled)
        self.largest = max(float(each.max()) for each in self._settled)

    def diag(self) -> Tensor:
        """Diagonal of F^-1; 1 / damping for removed weights."""
        return self._diag

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v on the live weights."""
        return torch.cat(self._each(lambda at, fisher: fisher.solve(vector[at])))

    def joint(self, weights: Tensor, removed: Tensor) -> tuple[Tensor, float]:
        """Exact per block; blocks do not see each other."""
        found = self._each(lambda at, fisher: fisher.joint(weights[at], removed[at]))
        return torch.cat([step for step, _ in found]), sum(loss for _, loss in found)

    @property
    def _step(self) -> int:
        """Weights per page: whole blocks."""
        block = self._size * self._pages.shape[0] * self._pages.dtype.itemsize
        return self._size * max(1, self._pages.page // block)

    def _columns(self) -> list[slice]:
        numel, step = len(self._live), self._step
        return [slice(at, min(at + step, numel)) for at in range(0, numel, step)]

    def _each(self, ask: Callable[[slice, BlockFisher], Answer]) -> list[Answer]:
        """What each page answers; one page at a time is in memory."""
        return [
            ask(columns, self._fisher(columns, settled))
            for columns, settled in zip(self._columns(), self._settled, strict=True)
        ]

    def _fisher(self, columns: slice, settled: Tensor | None) -> BlockFisher:
        """Rows that are not finite raise, as in memory."""
        self._monitor.check()
        return BlockFisher(
            finite(self._pages.read(columns)),
            self._live[columns],
            self._size,
            self._given,
            self._width,
            settled,
        )


def finite(rows: Tensor) -> Tensor:
    """The rows, or FloatingPointError; two numbers tell, without a copy."""
    if not all(bound.isfinite() for bound in rows.aminmax()):
        raise FloatingPointError("gradients are not finite")
    return rows
