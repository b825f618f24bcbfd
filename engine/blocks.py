"""Batched linear algebra on blocks of a damped empirical Fisher, in float64."""

from collections.abc import Iterator

import torch
from torch import Tensor

BUDGET = 32 * 2**20  # bytes of float64 work space; more only misses the caches
SMALLEST = 1e-13  # of damping * diag(F^-1): below, the subtraction has left only noise
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

    Raises:
        torch.linalg.LinAlgError: Even a far larger damping gives no factor.
    """

    def __init__(
        self, gradients: Tensor, damping: float, settled: Tensor | None = None
    ) -> None:
        count, self.samples, self._width = gradients.shape
        self._gradients = gradients
        self.diag = self._factor = None
        if settled is not None:
            self.damping = settled
            return
        self.damping = self._new(count).fill_(damping)
        self.diag = self._new(count, self._width)
        self._factor = self._new(count, self._rank, self._rank)
        for part in self._parts():
            self._factorise(part)

    def solve(self, vectors: Tensor) -> Tensor:
        """F^-1 v for v (blocks, width) in float64."""
        return torch.cat([self._solve(part, vectors[part]) for part in self._parts()])

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
        for part in self._parts():
            if removed[part].any():
                steps[part], losses[part] = self._joint(
                    part, weights[part], removed[part]
                )
        return steps, losses

    def _factorise(self, part: slice) -> None:
        gram = self._gram(part)
        eye = torch.eye(self._rank, dtype=gram.dtype, device=gram.device)
        todo = torch.arange(len(gram), device=gram.device)
        for _ in range(RAISES + 1):
            damping = self.damping[part][todo]
            ridge = (damping * self._scale)[:, None, None] * eye
            factor, info = torch.linalg.cholesky_ex(gram[todo] + ridge)
            diag = self._diagonal(part, todo, factor)
            share = diag * damping[:, None]  # NaN fails the comparisons
            inside = (share.amin(1) > self._least) & (share.amax(1) <= 1 + SLACK)
            good = (info == 0) & inside
            self._factor[part][todo[good]] = factor[good]
            self.diag[part][todo[good]] = diag[good]
            todo = todo[~good]
            if not len(todo):
                return
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

    def _parts(self) -> Iterator[slice]:
        """Runs of blocks that fit the work space together."""
        each = self._rank * (self._rank + self.samples + self._width)
        step = max(1, BUDGET // (16 * each))
        for start in range(0, len(self.damping), step):
            yield slice(start, min(start + step, len(self.damping)))

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
    def _rank(self) -> int:
        return self.samples

    @property
    def _scale(self) -> int:
        return self.samples

    def _gram(self, part: slice) -> Tensor:
        return sum(panel @ panel.mT for _, panel in self._panels(part))

    def _diagonal(self, part: slice, chosen: Tensor, factor: Tensor) -> Tensor:
        inside = []
        for _, panel in self._panels(part):
            panel = panel if len(chosen) == len(panel) else panel[chosen]
            solved = torch.linalg.solve_triangular(factor, panel, upper=False)
            inside.append(solved.square_().sum(1))
        return (1 - torch.cat(inside, 1)) / self.damping[part][chosen, None]

    def _solve(self, part: slice, vectors: Tensor) -> Tensor:
        product = self._times(part, vectors)
        inner = torch.cholesky_solve(product, self._factors(part))
        outer = self._transposed_times(part, inner)
        return (vectors - outer) / self.damping[part, None]

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
        """G_S G_S^T; survivors come first, so that the rest is never multiplied."""
        most = max(int(kept.sum(1).max()), 1)
        order = kept.byte().argsort(dim=1, descending=True, stable=True)[:, :most]
        total = self._new(len(kept), self._rank, self._rank).zero_()
        for columns, rows in self._panels(part, order):
            rows *= kept.gather(1, order[:, columns])[:, None]
            total += rows @ rows.mT
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
        step = max(1, BUDGET // (16 * len(source) * self.samples))
        for start in range(0, width, step):
            columns = slice(start, min(start + step, width))
            if order is None:
                panel = source[:, :, columns]
            else:
                chosen = order[:, None, columns].expand(-1, self.samples, -1)
                panel = source.gather(2, chosen)
            yield columns, panel.to(torch.float64, copy=True)


class PrimalBlocks(Blocks):
    """For N > width: F itself is factored, width x width, and G is let go."""

    _least = 0.0

    def __init__(
        self, gradients: Tensor, damping: float, settled: Tensor | None = None
    ) -> None:
        super().__init__(gradients, damping, settled)
        if settled is None:
            self._gradients = gradients.new_empty(len(gradients), 0, self._width)

    @property
    def _rank(self) -> int:
        return self._width

    @property
    def _scale(self) -> int:
        return 1

    def _gram(self, part: slice) -> Tensor:
        rows = self._gradients[part]
        step = max(1, BUDGET // (16 * len(rows) * self._rank))
        pieces = (piece.double() for piece in rows.split(step, dim=1))
        return sum(piece.mT @ piece for piece in pieces) / self.samples

    def _diagonal(self, part: slice, chosen: Tensor, factor: Tensor) -> Tensor:
        eye = torch.eye(self._rank, dtype=factor.dtype, device=factor.device)
        inverse = torch.linalg.solve_triangular(
            factor, eye.expand_as(factor), upper=False
        )
        return inverse.square_().sum(1)

    def _solve(self, part: slice, vectors: Tensor) -> Tensor:
        return torch.cholesky_solve(vectors[:, :, None], self._factors(part)).squeeze(2)

    def _joint(
        self, part: slice, weights: Tensor, removed: Tensor
    ) -> tuple[Tensor, Tensor]:
        """d_S = F_SS^-1 F_SQ w_Q, removed rows and columns replaced by the identity."""
        factor = self._factors(part)
        gone = weights.masked_fill(~removed, 0)[:, :, None]
        pull = (factor @ (factor.mT @ gone)).masked_fill(removed[:, :, None], 0)
        matrix = factor @ factor.mT
        matrix.masked_fill_(removed[:, :, None] | removed[:, None], 0)
        matrix.diagonal(dim1=1, dim2=2).add_(removed)
        step = torch.cholesky_solve(pull, torch.linalg.cholesky(matrix)) - gone
        return step.squeeze(2), (factor.mT @ step).square().sum((1, 2)) / 2
