"""What a layer sees and should give at chosen positions, and their products."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.gradients.outer import patches

PIECE = 1024  # positions that are float64 at once, which fits a processor's cache


@dataclass(frozen=True)
class Target:
    """What the dense network gives at the chosen positions of one layer.

    Attributes:
        at: Their coordinates among all positions (images first, then space).
        space: Size of the output's space; empty for a linear layer.
        outputs: (positions, channels), bias included.
        metric: How much the logits mind each channel, (channels, channels), or None.
    """

    at: tuple[Tensor, ...]
    space: tuple[int, ...]
    outputs: Tensor
    metric: Tensor | None = None


def choose(
    module: nn.Module, outputs: Tensor, positions: int, generator: torch.Generator
) -> Target:
    """Draw positions of a layer's outputs (at most all) and keep what is there."""
    linear = type(module) is nn.Linear
    rows = outputs if linear else outputs.movedim(1, -1)
    shape = rows.shape[:-1]
    order = torch.randperm(shape.numel(), generator=generator)[:positions]
    at = torch.unravel_index(order.sort().values.to(outputs.device), shape)
    return Target(at, () if linear else tuple(shape[1:]), rows[at])


def products(
    module: nn.Module, inputs: Tensor, target: Target
) -> tuple[Tensor, Tensor, float]:
    """X X^T (groups, fan_in, fan_in), T X^T (groups, channels, fan_in), |T|^2.

    Multiplied and added up in float64, a piece of the positions at a time.
    """
    groups = getattr(module, "groups", 1)
    seen = _positions_first(module, inputs, target.space)
    fan_in = module.weight[0].numel()
    gram = inputs.new_zeros(groups, fan_in, fan_in, dtype=torch.float64)
    cross = gram.new_zeros(groups, len(module.weight) // groups, fan_in)
    square = 0.0
    pieces = zip(*(index.split(PIECE) for index in target.at), strict=True)
    for at, outputs in zip(pieces, target.outputs.split(PIECE), strict=True):
        wanted = outputs.double()
        if module.bias is not None:
            wanted = wanted - module.bias
        x = seen[at].double().reshape(len(wanted), groups, fan_in).transpose(0, 1)
        t = wanted.reshape(len(wanted), groups, -1).transpose(0, 1)
        gram.baddbmm_(x.mT, x)
        cross.baddbmm_(t.mT, x)
        square += float(wanted.square().sum())
    return gram, cross, square


def _positions_first(
    module: nn.Module, inputs: Tensor, space: tuple[int, ...]
) -> Tensor:
    """A view (*positions, what the layer sees there) of a layer's input."""
    if type(module) is nn.Linear:
        return inputs
    view, axes = patches(module, inputs), len(space)
    kernel, out = range(2, 2 + axes), range(2 + axes, 2 + 2 * axes)
    return view.permute(0, *out, 1, *kernel)
