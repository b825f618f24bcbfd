"""Row by row removal under one quadratic per row: greedy order and exact updates."""

from collections.abc import Iterator

import torch
from torch import Tensor

BUDGET = 32 * 2**20  # bytes of the inverses that are downdated together


def row_pieces(rows: int, width: int) -> Iterator[slice]:
    """Runs of rows whose float64 matrices fit the work space together."""
    step = max(1, BUDGET // (8 * width * width))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def greedy_losses(weights: Tensor, live: Tensor, hessian: Tensor) -> Tensor:
    """Loss at which greedy elimination of each row removes each weight.

    The cheapest live weight goes, the others make up for it, the inverse is downdated,
    until none is left (ExactOBS). A weight that a cheaper one hid gets the largest loss
    so far, so that any threshold removes the first weights of the greedy order.

    Args:
        weights: (rows, width) float64.
        live: (rows, width) bool; removed weights get 0.
        hessian: (width, width) float64, positive definite, shared by the rows.

    Returns:
        (rows, width) float64, in the units of 1/2 d^T H d.
    """
    losses = torch.zeros_like(weights)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(_restricted(hessian, live)))
    place = torch.arange(weights.shape[1], device=weights.device).expand_as(weights)
    now, alive = weights.clone(), live.clone()
    highest = weights.new_zeros(len(weights), 1)
    for left in range(int(alive.sum(1).max()), 0, -1):
        if 2 * left <= alive.shape[1]:  # go on with the live part of each matrix
            order = alive.byte().argsort(dim=1, descending=True, stable=True)[:, :left]
            place, now, alive = (each.gather(1, order) for each in (place, now, alive))
            wide = order[:, :, None].expand(-1, -1, inverse.shape[2])
            inverse = inverse.gather(1, wide)
            inverse = inverse.gather(2, order[:, None].expand(-1, left, -1))
        diagonal = inverse.diagonal(dim1=1, dim2=2)
        step = (now.square() / (2 * diagonal)).masked_fill(~alive, torch.inf)
        cheapest, chosen = step.min(1, keepdim=True)
        some = cheapest.isfinite()  # rows with fewer live weights are done
        highest = torch.where(some, torch.maximum(highest, cheapest), highest)
        where = place.gather(1, chosen)
        losses.scatter_(1, where, torch.where(some, highest, losses.gather(1, where)))
        column = inverse.gather(2, chosen[:, None].expand(-1, len(now[0]), 1))
        pivot = column.gather(1, chosen[:, :, None])
        column = torch.where(some[:, :, None], column, 0.0)
        now = now - column[:, :, 0] * (now.gather(1, chosen) / pivot[:, :, 0])
        inverse = torch.baddbmm(inverse, column, column.mT / pivot, alpha=-1)
        alive = alive.scatter(1, chosen, False)
        now = now.masked_fill(~alive, 0)
        _decouple(inverse, chosen)
    return losses


def exact_updates(
    weights: Tensor, removed: Tensor, live: Tensor, hessian: Tensor
) -> Tensor:
    """The step (rows, width) that zeroes the removed at the least 1/2 d^T H d.

    What greedy elimination of the same weights adds up to, in whatever order.
    """
    gone = weights.masked_fill(~removed, 0)
    kept = live & ~removed
    pull = (gone @ hessian).masked_fill(~kept, 0)
    factor = torch.linalg.cholesky(_restricted(hessian, kept))
    step = torch.cholesky_solve(pull[:, :, None], factor).squeeze(2)
    return torch.where(removed, -weights, step)


def _restricted(hessian: Tensor, kept: Tensor) -> Tensor:
    """(rows, width, width): H on the kept weights of each row, else the identity."""
    pairs = kept[:, :, None] & kept[:, None]
    found = hessian.masked_fill(~pairs, 0)
    found.diagonal(dim1=1, dim2=2).add_(~kept)
    return found


def _decouple(inverse: Tensor, chosen: Tensor) -> None:
    """Rows and columns that rounding left near zero become the identity's."""
    rows = torch.arange(len(inverse), device=inverse.device)
    column = chosen[:, 0]
    inverse[rows, :, column] = 0
    inverse[rows, column] = 0
    inverse[rows, column, column] = 1
