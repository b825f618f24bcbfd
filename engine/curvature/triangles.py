"""Lower triangles in batches: Gram matrices and inverses at product speed."""

import torch
from torch import Tensor

STRIPS, STRIP = 5, 80  # at most so many in a Gram matrix, each at least so high
LEAF = 128  # triangles up to this size are inverted by one solve


def add_gram(total: Tensor, rows: Tensor) -> None:
    """Add rows rows^T (blocks, n, n) to the lower triangle of `total`.

    Strips of growing width spare most of the upper triangle, which no factor reads.
    """
    count = rows.shape[1]
    strips = min(max(count // STRIP, 1), STRIPS)
    for strip in range(strips):
        start, stop = count * strip // strips, count * (strip + 1) // strips
        left, right = rows[:, start:stop], rows[:, :stop]
        total[:, start:stop, :stop].baddbmm_(left, right.mT)


def inverse_of(factor: Tensor) -> Tensor:
    """Inverse of lower triangles (blocks, n, n), by halves: products beat solves."""
    count = factor.shape[1]
    if count <= LEAF:
        eye = torch.eye(count, dtype=factor.dtype, device=factor.device)
        return torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)
    half = count // 2
    first = inverse_of(factor[:, :half, :half])
    last = inverse_of(factor[:, half:, half:])
    inverse = torch.empty_like(factor)
    inverse[:, :half, half:] = 0
    inverse[:, :half, :half] = first
    inverse[:, half:, half:] = last
    below = first.mT @ (factor[:, half:, :half].mT @ last.mT)
    inverse[:, half:, :half] = below.neg_().mT
    return inverse
