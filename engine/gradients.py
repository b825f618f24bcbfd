"""Gradients per sample of all prunable weights: one batched pass, or a plain loop."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from engine.monitor import Monitor
from engine.outer import BATCHED, fits, patch_bytes, weight_gradients
from engine.pages import Pages

Objective = Callable[[Tensor], Tensor]  # outputs (n, classes) -> values (n,)
Fetch = Callable[[Tensor], tuple[Tensor, Objective]]  # image numbers -> images, values
Owners = dict[nn.Module, str]  # module -> full name of its weight
Rows = dict[str, Tensor | Pages]  # (N, numel) by name, in memory or on disk
Visit = Callable[[nn.Module, Tensor, Tensor], None]  # module, input, output's gradient

BUDGET = 128 * 2**20  # bytes that one micro-batch may take
PROBE = 2  # images of the trial run
TOLERANCE = 1e-2  # relative error that tells a wrong gradient from rounding
CHUNK = 32  # most rows per micro-batch, so that several processes share whole ones
LOOP_FROM = 8  # images per gradient from which one ordinary backward is cheaper


def collect(
    model: nn.Module,
    names: tuple[str, ...],
    fetch: Fetch,
    groups: Tensor,
    monitor: Monitor,
    rows: Rows | None = None,
) -> Rows:
    """Gradient of the mean value over each row of `groups`, in eval mode.

    Linear and convolution weights come from one forward and backward over many images:
    a layer's input and the gradient of its output give each image's gradient. A trial
    on two images compares them with plain autograd; a layer that disagrees (its weight
    is used in other ways, images are not its first dimension) or that is of another
    kind takes one ordinary backward pass per row, and the monitor hears of it.

    Args:
        model: Its mode and flags are as before when this returns.
        names: Parameters to differentiate by.
        fetch: Gives images and what to differentiate.
        groups: Image numbers (N, b); N may be 0.
        monitor: Receives progress.
        rows: Zeros to fill; None makes tensors.

    Returns:
        (N, numel) for each name, in the dtype of the weights.
    """
    weights = {name: model.get_parameter(name) for name in names}
    rows = rows or {
        name: torch.zeros(len(groups), w.numel(), dtype=w.dtype, device=w.device)
        for name, w in weights.items()
    }
    if not len(groups):
        return rows
    single = groups.shape[1] < LOOP_FROM
    with frozen(model):
        images, _ = fetch(groups.reshape(-1)[:PROBE])
        at_once = images_at_once(model, images)
        owners = trusted(model, batchable(model, weights), images) if single else {}
        others = [name for name in names if name not in set(owners.values())]
        task = _Task(model, fetch, groups, rows, at_once)
        if owners:
            task.fill_batched(owners, monitor)
        if others:
            if single:
                monitor.notice(
                    f"Gradients of {', '.join(others)} are taken one image at a time.",
                    "This is slower; exclude these layers if it takes too long.",
                    level="info",
                )
            task.fill_looped(others, monitor)
    return rows


def batched(
    model: nn.Module, owners: Owners, images: Tensor, objective: Objective
) -> dict[str, Tensor]:
    """Gradients (n, numel) of each image's value, from one pass.

    A weight that is used several times adds up its uses. A weight that the values do
    not depend on is left out.
    """
    found: dict[str, Tensor] = {}

    def keep(module: nn.Module, inputs: Tensor, gradient: Tensor) -> None:
        name = owners[module]
        if fits(module, inputs, len(images)):
            rows = weight_gradients(module, inputs, gradient, len(images))
            found[name] = found[name] + rows if name in found else rows

    observe(model, owners, images, objective, keep)
    return found


def observe(
    model: nn.Module,
    modules: Iterable[nn.Module],
    images: Tensor,
    objective: Objective,
    visit: Visit,
) -> None:
    """One forward and backward of the summed values, parameters left out of it.

    `visit` gets the input of each call of these modules and the gradient of its output,
    unless the values do not depend on it.
    """
    anchor = images.new_zeros((), requires_grad=True)

    def watch(module: nn.Module, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        # A tensor hook: a module's backward hook forbids in-place layers after it.
        inputs = (args or tuple(kwargs.values()))[0].detach()
        if not output.requires_grad:  # nothing before this layer is differentiated
            output = output + anchor
        output.register_hook(partial(visit, module, inputs))
        return output

    with ExitStack() as hooks:
        for module in modules:
            handle = module.register_forward_hook(watch, with_kwargs=True)
            hooks.callback(handle.remove)
        total = objective(model(images)).sum()
    if total.requires_grad:
        torch.autograd.grad(total, anchor)


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


@dataclass(frozen=True)
class _Task:
    """Rows to fill; `at_once` images fit into memory together."""

    model: nn.Module
    fetch: Fetch
    groups: Tensor
    rows: Rows
    at_once: int

    def fill_batched(self, owners: Owners, monitor: Monitor) -> None:
        count, size = self.groups.shape
        step = rows_at_once(self.at_once, size)
        for start in monitor.track(range(0, count, step), "Gradients"):
            part = self.groups[start : start + step]
            images, objective = self.fetch(part.reshape(-1))
            found = batched(self.model, owners, images, objective)
            for name, each in found.items():
                means = each.reshape(len(part), size, -1).mean(1)
                self.rows[name][start : start + step] = means

    def fill_looped(self, names: list[str], monitor: Monitor) -> None:
        for row, group in enumerate(monitor.track(self.groups, "Gradients")):
            sums: dict[str, Tensor] = {}
            for piece in group.split(self.at_once):
                images, objective = self.fetch(piece)
                found = looped(self.model, names, images, objective)
                for name, total in found.items():
                    share = total / len(group)
                    sums[name] = sums[name] + share if name in sums else share
            for name, mean in sums.items():
                self.rows[name][row] = mean


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


def batchable(model: nn.Module, weights: dict[str, Tensor]) -> Owners:
    """Modules that hold one of these weights and whose kind can be batched."""
    names = {id(weight): name for name, weight in weights.items()}
    return {
        module: names[id(module.weight)]
        for module in model.modules()
        if type(module) in BATCHED and id(module.weight) in names
    }


def trusted(model: nn.Module, owners: Owners, images: Tensor) -> Owners:
    """The owners whose batched gradients agree with plain autograd on these images."""
    names = sorted(set(owners.values()))
    found = batched(model, owners, images, _trial)
    good = set(found)
    for row in range(len(images)):
        # The same batch again: another size rounds otherwise and flips ReLUs near 0.
        wanted = looped(model, names, images, lambda out, row=row: _trial(out)[row])
        for name in tuple(good):
            right = wanted.get(name, torch.zeros_like(found[name][row]))
            error = (found[name][row] - right).norm()
            if not error <= TOLERANCE * right.norm():
                good.discard(name)
    return {module: name for module, name in owners.items() if name in good}


def _trial(outputs: Tensor) -> Tensor:
    """A value per image whose gradient does not fade when a network is certain."""
    flat = outputs.flatten(1)
    ramp = torch.arange(flat.shape[1], dtype=flat.dtype, device=flat.device)
    return (flat * ramp.cos()).sum(1)


def images_at_once(model: nn.Module, images: Tensor) -> int:
    """How many images a micro-batch takes, judged by a pass of these few."""
    return max(1, BUDGET // _bytes_per_image(model, images))


def rows_at_once(images: int, batch: int) -> int:
    """How many rows of `batch` images a micro-batch takes if so many images fit.

    A power of two divides CHUNK, so several processes make the micro-batches of one.
    """
    return 1 << (max(1, min(images // batch, CHUNK)).bit_length() - 1)


@torch.no_grad()
def _bytes_per_image(model: nn.Module, images: Tensor) -> int:
    """Roughly what one image takes in a batched pass: activations, patches, rows."""
    kept = patches = 0

    def count(module: nn.Module, args: tuple, output: Tensor) -> None:
        nonlocal kept, patches
        if isinstance(output, Tensor):
            kept += output.nbytes
            patches = max(patches, patch_bytes(module, output))

    with ExitStack() as hooks:
        for module in model.modules():
            if not any(True for _ in module.children()):
                hooks.callback(module.register_forward_hook(count).remove)
        model(images)
    rows = sum(weight.nbytes for weight in model.parameters())
    return max(1, 2 * (kept + patches) // len(images) + rows)
