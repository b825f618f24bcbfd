"""Row by row removal under one quadratic per row: greedy order and exact updates."""

from collections.abc import Iterator

import torch
from torch import Tensor

BUDGET = 32 * 2**20  # bytes of the inverses that are worked on together
PANEL = 32  # downdates that are applied to an inverse at once


def row_pieces(rows: int, width: int) -> Iterator[slice]:
    """Runs of rows whose float64 matrices fit the work space together."""
    step = max(1, BUDGET // (8 * width * width))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def greedy_losses(weights: Tensor, live: Tensor, hessian: Tensor) -> Tensor:
    """`eliminate` for rows that share one Hessian (ExactOBS).

    Args:
        weights: (rows, width) float64.
        live: (rows, width) bool; removed weights get 0.
        hessian: (width, width) float64, positive definite.
    """
    return eliminate(weights, live, row_inverses(hessian, live))


def eliminate(weights: Tensor, live: Tensor, inverse: Tensor) -> Tensor:
    """Loss at which greedy elimination of each row removes each weight.

    The cheapest live weight goes, the others make up for it, the inverse is downdated,
    until none is left (ExactOBS; CAP, Kuznedelev et al., 2023). A weight that a cheaper
    one hid gets the largest loss so far, a rounding more, so that any threshold and any
    count removes the first weights of the greedy order. The downdates are steps of a
    Cholesky factor whose pivot is the cheapest weight, applied to the inverse many at a
    time. Time O(width^3).

    Args:
        weights: (rows, width) float64.
        live: (rows, width) bool; removed weights get 0.
        inverse: (rows, width, width) float64 of 1/2 d^T F d, removed weights decoupled;
            it is used up.

    Returns:
        (rows, width) float64.

    Raises:
        torch.linalg.LinAlgError: An inverse is not positive definite.
    """
    losses = torch.zeros_like(weights)
    now, alive = weights.masked_fill(~live, 0), live.clone()
    diagonal = inverse.diagonal(dim1=1, dim2=2).clone()
    steps, width = int(live.sum(1).max()), weights.shape[1]
    factor = inverse.new_zeros(len(weights), PANEL, width)
    highest = weights.new_full((len(weights), 1), -torch.inf)
    infinity = weights.new_tensor(torch.inf)
    for step in range(steps):
        row = step % PANEL
        if step and not row:
            inverse.baddbmm_(factor.mT, factor, alpha=-1)
        costs = (now.square() / (2 * diagonal)).masked_fill(~alive, torch.inf)
        cheapest, chosen = costs.min(1, keepdim=True)
        pivot = diagonal.gather(1, chosen)
        some = cheapest.isfinite() & (pivot > 0)  # else the row is done, or broken
        above = torch.where(highest.isfinite(), highest.nextafter(infinity), highest)
        highest = torch.where(some, torch.maximum(above, cheapest), highest)
        losses.scatter_(1, chosen, torch.where(some, highest, losses.gather(1, chosen)))
        column = inverse.gather(1, chosen[:, :, None].expand(-1, -1, width))
        done, root = factor[:, :row], pivot.sqrt()
        before = done.gather(2, chosen[:, None].expand(-1, row, -1))
        column = torch.baddbmm(column, before.mT, done, alpha=-1)[:, 0] / root
        column = column.masked_fill(~(alive & some), 0)
        now = now - column * (now.gather(1, chosen) / root)
        alive = alive.scatter(1, chosen, alive.gather(1, chosen) & ~some)
        now = now.masked_fill(~alive, 0)
        diagonal = diagonal - column.square()
        factor[:, row] = column
    if bool(alive.any()):
        raise torch.linalg.LinAlgError("an inverse is not positive definite")
    return losses


def row_inverses(hessian: Tensor, live: Tensor) -> Tensor:
    """(rows, width, width): H^-1 on the live weights of each row, else the identity."""
    factor = torch.linalg.cholesky(_restricted(hessian, live))
    return torch.cholesky_inverse(factor)


def exact_updates(
    weights: Tensor, removed: Tensor, live: Tensor, hessian: Tensor
) -> Tensor:
    """The step (rows, width) that zeroes the removed at the least 1/2 d^T H d.

    What greedy elimination of the same weights adds up to, in whatever order.
    """
    step, some = torch.zeros_like(weights), removed.any(1)  # other rows stay
    gone = weights.masked_fill(~removed, 0)[some]
    kept = (live & ~removed)[some]
    pull = (gone @ hessian).masked_fill(~kept, 0)
    factor = torch.linalg.cholesky(_restricted(hessian, kept))
    step[some] = torch.cholesky_solve(pull[:, :, None], factor).squeeze(2)
    return torch.where(removed, -weights, step)


def _restricted(hessian: Tensor, kept: Tensor) -> Tensor:
    """(rows, width, width): H on the kept weights of each row, else the identity."""
    pairs = kept[:, :, None] & kept[:, None]
    found = hessian.masked_fill(~pairs, 0)
    found.diagonal(dim1=1, dim2=2).add_(~kept)
    return found
