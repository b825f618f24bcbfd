"""Least squares over the surviving weights of a layer, all output channels at once."""

import torch
from torch import Tensor

STEPS = 500  # of conjugate gradients, at most
TOLERANCE = 1e-10  # of the residual, relative to |T X^T|


def refit(
    gram: Tensor,
    cross: Tensor,
    weights: Tensor,
    kept: Tensor,
    ridge: float,
    metric: Tensor | None = None,
) -> tuple[Tensor, float]:
    """Minimise |M^1/2 (W X - T)|^2 + pull |W - W_now|^2 over the kept weights W.

    Conjugate gradients on the masked normal equations with the diagonal as
    preconditioner. They start from the weights there are, so every step lowers the
    error, however early they end. Without M each output channel is a system of its own
    and takes its own steps; with M the channels of a group are one system.

    Args:
        gram: X X^T (groups, fan_in, fan_in), float64.
        cross: T X^T (groups, channels, fan_in), float64.
        weights: The weights as they are, shaped as `cross`; removed ones are zero.
        kept: bool, shaped as `cross`.
        ridge: The pull, relative to mean(diag X X^T).
        metric: M (groups, channels, channels), positive definite; None is the identity.

    Returns:
        The weights and the largest residual, relative to |T X^T|.
    """
    axes = (2,) if metric is None else (1, 2)
    diag = gram.diagonal(dim1=1, dim2=2)[:, None]
    pull = ridge * diag.mean(-1, keepdim=True)
    right, bend = cross, diag
    if metric is not None:
        right = metric @ cross
        bend = metric.diagonal(dim1=1, dim2=2)[..., None] * diag
    scale = kept / (bend + pull).clamp_min(torch.finfo(gram.dtype).tiny)

    def curved(step: Tensor) -> Tensor:
        return step @ gram if metric is None else metric @ (step @ gram)

    residual = (right - curved(weights)) * kept
    size = _norm(right * kept, axes)
    change = torch.zeros_like(weights)
    direction = scaled = scale * residual
    product = _dot(residual, scaled, axes)
    for _ in range(STEPS):
        if bool((_norm(residual, axes) <= TOLERANCE * size).all()):
            break
        image = (curved(direction) + pull * direction) * kept
        length = _ratio(product, _dot(direction, image, axes))
        change = change + length * direction
        residual = residual - length * image
        scaled = scale * residual
        before, product = product, _dot(residual, scaled, axes)
        direction = scaled + _ratio(product, before) * direction
    return weights + change, float(_ratio(_norm(residual, axes), size).max())


def error(gram: Tensor, cross: Tensor, square: float, weights: Tensor) -> float:
    """|W X - T| / |T| from the products alone; `square` is |T|^2."""
    squares = ((weights @ gram - 2 * cross) * weights).sum() + square
    return float((squares.clamp_min(0) / square).sqrt()) if square else 0.0


def _dot(a: Tensor, b: Tensor, axes: tuple[int, ...]) -> Tensor:
    return (a * b).sum(axes, keepdim=True)


def _norm(a: Tensor, axes: tuple[int, ...]) -> Tensor:
    return _dot(a, a, axes).sqrt()


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """The quotient, and 0 where b is: a channel that is done stays as it is."""
    return torch.where(b > 0, a / b, 0.0)
