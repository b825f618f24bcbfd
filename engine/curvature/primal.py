"""Blocks with more gradients than weights: the Fisher itself is factored."""

import torch
from torch import Tensor

from engine.curvature.blocks import Blocks, float64, runs
from engine.curvature.triangles import add_gram, inverse_of


class PrimalBlocks(Blocks):
    """For N > width: F itself is factored, width x width, and G is let go."""

    _least = 0.0
    _firmness = 0.0  # what is left of a regular Fisher is regular

    def __init__(
        self, gradients: Tensor, damping: float, settled: Tensor | None = None
    ) -> None:
        super().__init__(gradients, damping, settled)
        if settled is None:
            self._gradients = gradients.new_empty(len(gradients), 0, self.width)

    @property
    def _rank(self) -> int:
        return self.width

    @property
    def _scale(self) -> int:
        return 1

    def _gram(self, part: slice) -> Tensor:
        rows = self._gradients[part]
        total = self._zeros(part)
        for run in runs(self.samples, 16 * len(rows) * self._rank):
            add_gram(total, float64(rows[:, run]).mT)
        return total.div_(self.samples)

    def _diagonal(self, part: slice, chosen: Tensor, factor: Tensor) -> Tensor:
        return inverse_of(factor).square_().sum(1)

    def _solve(self, part: slice, vectors: Tensor) -> Tensor:
        return torch.cholesky_solve(vectors[:, :, None], self._factors(part)).squeeze(2)

    def among(self, part: slice, slots: Tensor) -> Tensor:
        """Picked out of F^-1."""
        inverse = torch.cholesky_inverse(self._factors(part))
        block = torch.arange(len(inverse), device=slots.device)[:, None, None, None]
        return inverse[block, slots[:, :, :, None], slots[:, :, None]]

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
