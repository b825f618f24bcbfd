"""Exact products with the Fisher of each single layer, by jvp and vjp."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp

from engine.errors import InputError, RunError
from engine.gradients import Objective, Owners, frozen, observe
from engine.layers import NORMS
from engine.outer import BATCHED, fits
from engine.problem import Problem

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Call:
    """One use of a layer: its input, and the gradient of what it gave."""

    module: nn.Module
    inputs: Tensor
    slopes: Tensor

    def linear(self) -> tuple[Product, Product]:
        """The layer's jvp and vjp at its weight: J v, and J^T c.

        The first is the vjp of the second: forward differentiation lacks some layers.
        """

        def run(weight: Tensor) -> Tensor:
            return functional_call(self.module, {"weight": weight}, (self.inputs,))

        output, pull = vjp(run, self.module.weight.detach())
        _, push = vjp(lambda slopes: pull(slopes)[0], torch.zeros_like(output))
        return lambda v: push(v)[0], lambda slopes: pull(slopes)[0]


class LayerFishers:
    """F_l = 1/n sum_n g_n g_n^T of each layer l for the images of one batch.

    A network's forward and backward pass gives every layer's inputs and output slopes;
    with these a product with F_l takes a jvp and a vjp of that layer alone, and nothing
    of the other layers comes in. Memory does not grow with the number of images.

    Args:
        calls: How each weight was used.
        images: Their number n.
    """

    def __init__(self, calls: dict[str, list[Call]], images: int) -> None:
        self._calls, self._images = calls, images

    def product(self, name: str, vectors: Tensor) -> Tensor:
        """F_l v for each v of (probes, *weight shape).

        Raises:
            RunError: No gradient reached the layer.
        """
        calls = self._calls[name]
        if not calls:
            raise RunError(
                f"No gradient reached {name} through its own module.",
                "Exclude this layer, or choose WoodFisher.",
            )
        slopes = [call.slopes for call in calls]
        pairs = [call.linear() for call in calls]

        def one(vector: Tensor) -> Tensor:
            moved = [
                push(vector) * c for (push, _), c in zip(pairs, slopes, strict=True)
            ]
            each = sum(m.reshape(self._images, -1).sum(1) for m in moved)  # g_n^T v
            return sum(
                pull(self._spread(each, c) * c)
                for (_, pull), c in zip(pairs, slopes, strict=True)
            )

        return torch.stack([one(vector) for vector in vectors]) / self._images

    def _spread(self, each: Tensor, slopes: Tensor) -> Tensor:
        """An image's number for all its rows of an output."""
        rows = each.repeat_interleave(len(slopes) // self._images)
        return rows.reshape(-1, *(1,) * (slopes.dim() - 1))


def layer_fishers(
    problem: Problem, owners: Owners, images: Tensor, objective: Objective
) -> LayerFishers:
    """The Fishers of all owned layers on these images, in eval mode."""
    calls: dict[str, list[Call]] = {name: [] for name in problem.names}

    def visit(module: nn.Module, inputs: Tensor, slopes: Tensor) -> None:
        if type(module) in NORMS or fits(module, inputs, len(images)):
            calls[owners[module]].append(Call(module, inputs, slopes))

    with frozen(problem.model):
        observe(problem.model, owners, images, objective, visit)
    return LayerFishers(calls, len(images))


def layers_of(problem: Problem, method: str) -> Owners:
    """The linear, convolution and normalisation modules of the problem's weights.

    Raises:
        InputError: A weight belongs to another kind of layer.
    """
    names = {id(problem.model.get_parameter(name)): name for name in problem.names}
    found = {
        module: names[id(module.weight)]
        for module in problem.model.modules()
        if type(module) in (*BATCHED, *NORMS) and id(module.weight) in names
    }
    others = sorted(set(problem.names) - set(found.values()))
    if others:
        raise InputError(
            f"{method} does not know the layers of {', '.join(others)}.",
            "Exclude them in allocation.exclude, or choose WoodFisher.",
        )
    return found
