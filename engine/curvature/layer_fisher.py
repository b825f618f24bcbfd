"""Exact products with the Fisher of each single layer, by jvp and vjp."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from engine.errors import RunError
from engine.gradients.backward import Objective, first_input, frozen, observe
from engine.gradients.collector import Fetch
from engine.gradients.outer import fits
from engine.gradients.ways import Owners
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
    of the other layers comes in. No gradient of a single image is ever made.

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

        return vmap(one)(vectors) / self._images

    def _spread(self, each: Tensor, slopes: Tensor) -> Tensor:
        """An image's number for all its rows of an output."""
        rows = each.repeat_interleave(len(slopes) // self._images)
        return rows.reshape(-1, *(1,) * (slopes.dim() - 1))


def fisher_products(
    problem: Problem,
    owners: Owners,
    pieces: Iterable[Tensor],
    fetch: Fetch,
    vectors: dict[str, Tensor],
) -> dict[str, Tensor]:
    """Each layer's F_l v over all images of the pieces, in eval mode.

    Args:
        problem: The network.
        owners: Of `owners_of`.
        pieces: Image numbers; the activations of one piece are in memory at a time.
        fetch: Gives images and their losses.
        vectors: (probes, *weight shape) per layer.

    Raises:
        RunError: No gradient reached a layer.
    """
    totals, count = dict.fromkeys(vectors, 0.0), 0
    with frozen(problem.model):
        for piece in pieces:
            fishers = layer_fishers(problem.model, owners, *fetch(piece))
            for name, each in vectors.items():
                product = fishers.product(name, each.detach())
                totals[name] = totals[name] + product * len(piece)
            count += len(piece)
    return {name: total / count for name, total in totals.items()}


def layer_fishers(
    model: nn.Module, owners: Owners, images: Tensor, objective: Objective
) -> LayerFishers:
    """The Fishers of all owned layers on these images; the model is in eval mode."""
    calls: dict[str, list[Call]] = {name: [] for name in owners.values()}

    def visit(module: nn.Module, args: tuple, kwargs: dict, slopes: Tensor) -> None:
        inputs = first_input(args, kwargs)
        if fits(module, inputs, len(images)):
            calls[owners[module]].append(Call(module, inputs, slopes))

    observe(model, owners, images, objective, visit)
    return LayerFishers(calls, len(images))
