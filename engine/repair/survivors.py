"""Least squares over the surviving weights of a layer, all output channels at once."""

import torch
from torch import Tensor

STEPS = 500  # of conjugate gradients, at most
TOLERANCE = 1e-9  # of the residual, relative to the right-hand side


def refit(
    gram: Tensor, cross: Tensor, weights: Tensor, kept: Tensor, ridge: float
) -> tuple[Tensor, float]:
    """Minimise |W X - T|^2 + ridge mean(diag X X^T) |W - W_now|^2 over kept weights.

    Conjugate gradients on the masked normal equations, each output channel a system of
    its own, with the diagonal as preconditioner. They start from the weights there are,
    so that every step lowers the error, however early they end.

    Args:
        gram: X X^T (groups, fan_in, fan_in), float64.
        cross: T X^T (groups, channels, fan_in), float64.
        weights: The weights as they are, shaped as `cross`; removed ones are zero.
        kept: bool, shaped as `cross`.
        ridge: Relative pull towards the weights as they are.

    Returns:
        The weights and the largest residual, relative to the right-hand side.
    """
    diag = gram.diagonal(dim1=1, dim2=2)[:, None]
    pull = ridge * diag.mean(-1, keepdim=True)
    scale = kept / (diag + pull).clamp_min(torch.finfo(gram.dtype).tiny)
    residual = (cross - weights @ gram) * kept
    goal = _norm(residual) * TOLERANCE
    change = torch.zeros_like(weights)
    direction = scaled = scale * residual
    product = _dot(residual, scaled)
    for _ in range(STEPS):
        if bool((_norm(residual) <= goal).all()):
            break
        image = (direction @ gram + pull * direction) * kept
        length = _ratio(product, _dot(direction, image))
        change = change + length * direction
        residual = residual - length * image
        scaled = scale * residual
        before, product = product, _dot(residual, scaled)
        direction = scaled + _ratio(product, before) * direction
    left = _ratio(_norm(residual), goal / TOLERANCE)
    return weights + change, float(left.max())


def error(gram: Tensor, cross: Tensor, square: Tensor, weights: Tensor) -> float:
    """|W X - T| / |T| from the products alone; `square` is |T|^2."""
    squares = ((weights @ gram - 2 * cross) * weights).sum() + square
    return float((squares.clamp_min(0) / square).sqrt()) if square else 0.0


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)


def _norm(a: Tensor) -> Tensor:
    return a.norm(dim=-1, keepdim=True)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """The quotient, and 0 where b is: a channel that is done stays as it is."""
    return torch.where(b > 0, a / b, 0.0)
