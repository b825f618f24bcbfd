"""Batched linear algebra on blocks of a damped empirical Fisher, in float64."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from engine.curvature.parallel import in_parallel
from engine.curvature.triangles import add_gram

Answer = TypeVar("Answer")

BUDGET = 8 * 2**20  # bytes of float64 work space; more only misses the caches
SMALLEST = 1e-13  # of damping * diag(F^-1): below, the subtraction has left only noise
EPSILON = torch.finfo(torch.float64).eps
SLACK = 1e-6  # by which rounding may push diag(F^-1) over its bound 1 / damping
RAISES = 12  # how often damping may grow tenfold


class Blocks:
    """F = damping I + G^T G / N for every block, factored once.

    The closed form of the Woodbury recursion in WoodFisher (Singh and Alistarh, 2020):
    one product, one Cholesky factor and one triangular solve replace N rank-one steps.

    Args:
        gradients: G (blocks, N, width), kept as it is; zero columns decouple.
        damping: Added to the diagonal. Where that leaves a block without a usable
            factor, it grows tenfold for this block alone until there is one.
        settled: (blocks,) the damping an earlier look at the same blocks ended with:
            nothing is factored before a solve needs it, and `diag` stays unknown.

    Attributes:
        damping: (blocks,) what was added in the end.
        diag: (blocks, width) diagonal of F^-1; None when settled.
        squares: Sum of the squared gradients over N; 0 when settled.

    Raises:
        torch.linalg.LinAlgError: Even a far larger damping gives no factor.
    """

    def __init__(
        self, gradients: Tensor, damping: float, settled: Tensor | None = None
    ) -> None:
        count, self.samples, self.width = gradients.shape
        self._gradients = gradients
        self.diag = self._factor = None
        self.squares = 0.0
        if settled is not None:
            self.damping = settled
            return
        self.damping = self._new(count).fill_(damping)
        self.diag = self._new(count, self.width)
        self._factor = self._new(count, self._rank, self._rank).mT  # as LAPACK has it
        self.squares = sum(self._parallel(self._factorise))

    def solve(self, vectors: Tensor) -> Tensor:
        """F^-1 v for v (blocks, width) in float64; blocks of zeros cost nothing."""

        def solve(part: slice) -> Tensor:
            some = vectors[part]
            return self._solve(part, some) if some.any() else torch.zeros_like(some)

        return torch.cat(self._parallel(solve))

    def among(self, part: slice, slots: Tensor) -> Tensor:
        """Entries of F^-1 (blocks, sets, size, size) among slots of each block.

        Args:
            part: Blocks in question.
            slots: (blocks, sets, size), each set by itself.
        """
        raise NotImplementedError

    def joint(self, weights: Tensor, removed: Tensor) -> tuple[Tensor, Tensor]:
        """The cheapest step that takes the removed weights to zero together.

        It minimises 1/2 d^T F d under d = -w on the removed, in each block.

        Args:
            weights: (blocks, width) float64.
            removed: (blocks, width) bool.

        Returns:
            d (blocks, width) and its loss 1/2 d^T F d (blocks,).
        """
        steps, losses = torch.zeros_like(weights), torch.zeros_like(self.damping)

        def remove(part: slice) -> None:
            if removed[part].any():
                given = (part, weights[part], removed[part])
                steps[part], losses[part] = self._joint(*given)

        self._parallel(remove)
        return steps, losses

    def parts(self) -> list[slice]:
        """Runs of blocks that fit the work space together."""
        each = self._rank * (self._rank + self.samples + self.width)
        return runs(len(self.damping), 16 * each)

    def _parallel(self, work: Callable[[slice], Answer]) -> list[Answer]:
        return in_parallel(work, self.parts(), self._gradients.device)

    def _factorise(self, part: slice) -> float:
        """Fills in the damping, the diagonal and the factor; gives the squares."""
        gram = self._gram(part)
        plain = gram.diagonal(dim1=1, dim2=2).clone()
        squares = float(plain.sum()) / self._scale
        firm = self._firmness * plain.sum(1) / self._scale
        todo = torch.arange(len(gram), device=gram.device)
        for _ in range(RAISES + 1):
            damping = self.damping[part][todo, None]
            matrix = _chosen(gram, todo)
            matrix.diagonal(dim1=1, dim2=2).copy_(plain[todo] + damping * self._scale)
            factor, info = torch.linalg.cholesky_ex(matrix)
            diag = self._diagonal(part, todo, factor)
            share = diag * damping  # NaN fails the comparisons
            inside = (share.amin(1) > self._least) & (share.amax(1) <= 1 + SLACK)
            good = (info == 0) & inside & (damping[:, 0] >= firm[todo])
            if len(todo) == len(gram) and good.all():  # as a rule, and without copies
                self._factor[part], self.diag[part] = factor, diag
                return squares
            self._factor[part][todo[good]] = factor[good]
            self.diag[part][todo[good]] = diag[good]
            todo = todo[~good]
            if not len(todo):
                return squares
            self.damping[part][todo] *= 10
        raise torch.linalg.LinAlgError("no damping makes these blocks invertible")

    def _factors(self, part: slice) -> Tensor:
        """Cholesky factors, kept or made again."""
        if self._factor is not None:
            return self._factor[part]
        gram = self._gram(part)
        ridge = (self.damping[part] * self._scale)[:, None]
        gram.diagonal(dim1=1, dim2=2).add_(ridge)
        return torch.linalg.cholesky(gram)

    def _zeros(self, part: slice) -> Tensor:
        return self._new(part.stop - part.start, self._rank, self._rank).zero_()

    def _new(self, *shape: int) -> Tensor:
        return self._gradients.new_empty(shape, dtype=torch.float64)


class DualBlocks(Blocks):
    """For N <= width: S = damping N I + G G^T = L L^T is factored, N x N.

    With T = L^-1 G, diag(F^-1) = (1 - colsum(T^2)) / damping and
    F^-1 v = (v - G^T S^-1 G v) / damping. Time O(N^2 width), no width x width matrix;
    G is read in panels of columns, so a whole layer as one block needs no float64 copy.
    """

    _least = SMALLEST

    @property
    def _firmness(self) -> float:
        """Few survivors span less than all: only damping makes their Gram regular."""
        return EPSILON * self.samples

    @property
    def _rank(self) -> int:
        return self.samples

    @property
    def _scale(self) -> int:
        return self.samples

    def _gram(self, part: slice) -> Tensor:
        total = self._zeros(part)
        for _, panel in self._panels(part):
            add_gram(total, panel)
        return total

    def _diagonal(self, part: slice, chosen: Tensor, factor: Tensor) -> Tensor:
        inside = []
        for _, panel in self._panels(part):
            panel = _chosen(panel, chosen)
            # T^T = panel^T L^-T, in place: the shape that LAPACK needs no copy for
            torch.linalg.solve_triangular(
                factor.mT, panel.mT, upper=True, left=False, out=panel.mT
            )
            inside.append(panel.square_().sum(1))
        return (1 - torch.cat(inside, 1)) / self.damping[part][chosen, None]

    def _solve(self, part: slice, vectors: Tensor) -> Tensor:
        product = self._times(part, vectors)
        inner = torch.cholesky_solve(product, self._factors(part))
        outer = self._transposed_times(part, inner)
        return (vectors - outer) / self.damping[part, None]

    def among(self, part: slice, slots: Tensor) -> Tensor:
        """(I - T^T T) / damping, sets that fit the work space at a time."""
        count, sets, size = slots.shape
        factor, ridge = self._factors(part), self.damping[part, None, None, None]
        eye = torch.eye(size, dtype=factor.dtype, device=factor.device)
        found = []
        for run in runs(sets, 16 * count * self.samples * size):
            panel = self._picked(part, slots[:, run].reshape(count, -1))
            torch.linalg.solve_triangular(
                factor.mT, panel.mT, upper=True, left=False, out=panel.mT
            )
            turned = panel.mT.reshape(count, -1, size, self.samples)
            found.append((eye - turned @ turned.mT) / ridge)
        return torch.cat(found, 1)

    def _joint(
        self, part: slice, weights: Tensor, removed: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Through the dual of the survivors' ridge regression.

        d_S = G_S^T M^-1 y with M = damping N I + G_S G_S^T and y = G_Q w_Q; the loss is
        damping / 2 (|w_Q|^2 + y^T M^-1 y). Sums of squares only: nothing cancels.
        """
        gone = weights.masked_fill(~removed, 0)
        ridge = self.damping[part, None] * self.samples
        matrix = self._survivors_gram(part, ~removed)
        matrix.diagonal(dim1=1, dim2=2).add_(ridge)
        target = self._times(part, gone)
        inner = torch.cholesky_solve(target, torch.linalg.cholesky(matrix))
        step = self._transposed_times(part, inner)
        squares = gone.square().sum(1) + (target * inner).sum((1, 2))
        return torch.where(removed, -weights, step), self.damping[part] * squares / 2

    def _survivors_gram(self, part: slice, kept: Tensor) -> Tensor:
        """Lower triangle of G_S G_S^T; survivors come first, the rest is left out."""
        most = max(int(kept.sum(1).max()), 1)
        order = kept.byte().argsort(dim=1, descending=True, stable=True)[:, :most]
        total = self._zeros(part)
        for columns, rows in self._panels(part, order):
            rows *= kept.gather(1, order[:, columns])[:, None]
            add_gram(total, rows)
        return total

    def _times(self, part: slice, vectors: Tensor) -> Tensor:
        """G v (blocks, N, 1)."""
        return sum(
            panel @ vectors[:, columns, None] for columns, panel in self._panels(part)
        )

    def _transposed_times(self, part: slice, vectors: Tensor) -> Tensor:
        """G^T u (blocks, width) for u (blocks, N, 1)."""
        found = [panel.mT @ vectors for _, panel in self._panels(part)]
        return torch.cat(found, 1).squeeze(2)

    def _panels(
        self, part: slice, order: Tensor | None = None
    ) -> Iterator[tuple[slice, Tensor]]:
        """Columns of G in float64, in natural order or in the given one."""
        source = self._gradients[part]
        width = source.shape[2] if order is None else order.shape[1]
        for columns in runs(width, 16 * len(source) * self.samples):
            if order is None:
                yield columns, float64(source[:, :, columns])
            else:
                yield columns, self._picked(part, order[:, columns])

    def _picked(self, part: slice, slots: Tensor) -> Tensor:
        """Columns of G (blocks, N, n) in float64 for slots (blocks, n)."""
        chosen = slots[:, None].expand(-1, self.samples, -1)
        return float64(self._gradients[part].gather(2, chosen))


def runs(count: int, each: int) -> list[slice]:
    """Slices of `count` things of `each` bytes that fit the work space, or single."""
    step = max(1, BUDGET // each)
    return [slice(at, min(at + step, count)) for at in range(0, count, step)]


def float64(values: Tensor) -> Tensor:
    """A contiguous copy."""
    layout = torch.contiguous_format
    return values.to(torch.float64, copy=True, memory_format=layout)


def _chosen(blocks: Tensor, indices: Tensor) -> Tensor:
    """These of the blocks, themselves rather than a copy when it is all of them."""
    return blocks if len(indices) == len(blocks) else blocks[indices]
