"""Passes through a network whose weights stay put: batched, or by plain autograd."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from engine.gradients.outer import fits, weight_gradients
from engine.gradients.vmapped import repeated
from engine.gradients.ways import Ways

Tensors = dict[str, Tensor]
Objective = Callable[[Tensor], Tensor]  # outputs (n, classes) -> values (n,)
Visit = Callable[[nn.Module, tuple, dict, Tensor], None]  # a call, its slope


def batched(
    model: nn.Module, ways: Ways, images: Tensor, objective: Objective
) -> Tensors:
    """Gradients (n, numel) of each image's value, from one pass.

    A weight that is used several times adds up its uses. A weight that the values do
    not depend on, or whose module cannot be repeated by vmap, is left out.
    """
    found: Tensors = {}

    def add(name: str, rows: Tensor) -> None:
        found[name] = found[name] + rows if name in found else rows

    def keep(module: nn.Module, args: tuple, kwargs: dict, gradient: Tensor) -> None:
        if module in ways.owners:
            inputs = first_input(args, kwargs)
            if fits(module, inputs, len(images)):
                rows = weight_gradients(module, inputs, gradient, len(images))
                add(ways.owners[module], rows)
        if module in ways.callers:
            inner = ways.callers[module]
            rows = repeated(module, inner, args, kwargs, gradient, len(images))
            for name, each in rows.items():
                add(name, each)

    observe(model, {**ways.owners, **ways.callers}, images, objective, keep)
    return found


def observe(
    model: nn.Module,
    modules: Iterable[nn.Module],
    images: Tensor,
    objective: Objective,
    visit: Visit,
) -> None:
    """One forward and backward of the summed values, parameters left out of it.

    `visit` gets the arguments of each call of these modules and the gradient of its
    (first) output, unless the values do not depend on it.
    """
    anchor = images.new_zeros((), requires_grad=True)

    def watch(module: nn.Module, args: tuple, kwargs: dict, output: Any) -> Any:
        # A tensor hook: a module's backward hook forbids in-place layers after it.
        parts, tree = tree_flatten(output)
        tensors = (i for i, part in enumerate(parts) if isinstance(part, Tensor))
        place = next(tensors, None)
        if place is None:  # some object; the weight goes another way
            return output
        if not parts[place].requires_grad:  # nothing before this is differentiated
            parts[place] = parts[place] + anchor
        parts[place].register_hook(partial(visit, module, args, kwargs))
        return tree_unflatten(parts, tree)

    with ExitStack() as hooks:
        for module in modules:
            handle = module.register_forward_hook(watch, with_kwargs=True)
            hooks.callback(handle.remove)
        total = objective(model(images)).sum()
    if total.requires_grad:
        torch.autograd.grad(total, anchor)


def first_input(args: tuple, kwargs: dict[str, Any]) -> Tensor:
    """What a call was given first, without its graph."""
    return (args or tuple(kwargs.values()))[0].detach()


def looped(
    model: nn.Module, names: list[str], images: Tensor, objective: Objective
) -> dict[str, Tensor]:
    """Gradient (numel,) of the sum of the images' values, by plain autograd."""
    weights = [model.get_parameter(name).requires_grad_(True) for name in names]
    try:
        total = objective(model(images)).sum()
        if not total.requires_grad:
            return {}
        gradients = torch.autograd.grad(total, weights, allow_unused=True)
    finally:
        for weight in weights:
            weight.requires_grad_(False)
    return {
        name: gradient.reshape(-1)
        for name, gradient in zip(names, gradients, strict=True)
        if gradient is not None
    }


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Eval mode and no differentiable parameter, so that passes do no needless work."""
    modes = [(module, module.training) for module in model.modules()]
    flags = [(weight, weight.requires_grad) for weight in model.parameters()]
    model.eval()
    for weight, _ in flags:
        weight.requires_grad_(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        for weight, flag in flags:
            weight.requires_grad_(flag)
