"""Spectrum: one eigendecomposition of a block's Fisher that answers every damping."""

import torch
from torch import Tensor

from engine.curvature.blocks import float64, runs
from engine.curvature.triangles import add_gram

FLOOR = 1e-13  # of the largest eigenvalue: below, there is only rounding


class Spectrum:
    """F = damping I + 1/N G^T G of one block by its eigenvectors.

    With the singular value decomposition G / sqrt(N) = U E^1/2 V^T, from G G^T (or from
    G^T G where the block is narrower), diag(F^-1)_j = sum_i V_ij^2 / (damping + e_i) +
    (1 - sum_i V_ij^2) / damping. That is the closed form (1 - sum_i (U^T G)_ij^2 /
    (N damping + s_i)) / damping with s = N e, written as a sum of positive terms. Time
    O(N^2 width + N^3), for all dampings together.

    Args:
        rows: G (N, width), in any precision.
        slots: (m,) the columns that are asked about.

    Attributes:
        values: e (r,), rising, those that are not rounding.
        squares: V^2 (r, m).
        rest: 1 - sum_i V_ij^2 (m,), the share that no gradient reaches.
    """

    def __init__(self, rows: Tensor, slots: Tensor) -> None:
        self.samples, width = rows.shape
        wide = width >= self.samples
        values, vectors = torch.linalg.eigh(_gram(rows if wide else rows.T))
        kept = values > FLOOR * values[-1].clamp_min(0)
        values, vectors = values[kept], vectors[:, kept]
        roots = values.sqrt()
        if wide:
            self._left = vectors
            self._right = vectors.T @ float64(rows[:, slots]) / roots[:, None]
        else:
            self._left = float64(rows) @ vectors / roots
            self._right = vectors[slots].T
        self.values = values / self.samples
        self.squares = self._right.square()
        self.rest = (1 - self.squares.sum(0)).clamp_min_(0)

    def diag(self, damping: float) -> Tensor:
        """Diagonal of F^-1 (m,)."""
        return (1 / (damping + self.values)) @ self.squares + self.rest / damping

    def reweighted(self, counts: Tensor, damping: float, some: Tensor) -> Tensor:
        """Diagonal of F^-1 if each gradient came so often.

        Bootstrap samples and parts of the gradients are such counts. O(N r^2 + r^2 n).

        Args:
            counts: (N,), their sum is N.
            damping: Added to the diagonal.
            some: (n,) which of the slots.
        """
        turned = self._left * self.values.sqrt()
        matrix = turned.T @ (turned * counts[:, None])
        matrix.diagonal().add_(damping)
        factor = torch.linalg.cholesky(matrix)
        inside = torch.linalg.solve_triangular(
            factor, self._right[:, some], upper=False
        )
        return inside.square().sum(0) + self.rest[some] / damping

    def left_out(self, damping: float, weights: Tensor, some: Tensor) -> Tensor:
        """Loss of removing each weight by gradients that took no part in it.

        Every gradient g_b is left out in turn: A = F - g_b g_b^T / N gives the Optimal
        Brain Surgeon step -w_q A^-1 e_q / (A^-1)_qq, and 1/2 (g_b^T step)^2 what it
        costs by g_b; the mean over b is the answer. By the Sherman-Morrison formula no
        A is inverted: with r = G F^-1 e_q and h_b = g_b^T F^-1 g_b / N it takes
        r_b / (1 - h_b) and (F^-1)_qq + r_b^2 / (N (1 - h_b)). This is the prediction
        sum of squares of ridge regression (Allen, 1974), since a column of G follows
        from the others by one. O(N r n).

        Args:
            damping: Added to the diagonal.
            weights: (n,) as they are now.
            some: (n,) which of the slots they have.
        """
        shares = self.values.sqrt() / (damping + self.values)
        reached = self.samples**0.5 * (self._left * shares) @ self._right[:, some]
        inside = self._left.square()
        own = inside @ (damping / (damping + self.values))
        own = (own + (1 - inside.sum(1)).clamp_min_(0))[:, None]  # 1 - h
        diag = self.diag(damping)[some] + reached.square() / (self.samples * own)
        return weights.square() / 2 * (reached / own / diag).square_().mean(0)


def _gram(rows: Tensor) -> Tensor:
    """Lower triangle of rows rows^T (n, n) float64, panel by panel."""
    count, width = rows.shape
    total = rows.new_zeros(1, count, count, dtype=torch.float64)
    for run in runs(width, 16 * count):
        add_gram(total, float64(rows[:, run])[None])
    return total[0]
