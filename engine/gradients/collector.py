"""Gradients per sample of all prunable weights: one batched pass, or a plain loop."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from engine.gradients.backward import Objective, batched, frozen, looped
from engine.gradients.outer import patch_bytes
from engine.gradients.pages import Pages
from engine.gradients.ways import Ways, ways_of
from engine.monitor import Monitor

Fetch = Callable[[Tensor], tuple[Tensor, Objective]]  # image numbers -> images, values
Rows = dict[str, Tensor | Pages]  # (N, numel) by name, in memory or on disk

BUDGET = 128 * 2**20  # bytes that one micro-batch may take
PROBE = 2  # images of the trial run
TOLERANCE = 1e-2  # relative error that tells a wrong gradient from rounding
CHUNK = 32  # most rows per micro-batch, so that several processes share whole ones
LOOP_FROM = 8  # images per gradient from which one ordinary backward is cheaper
AGAIN = 8  # times its output that the backward of a repeated module takes


class Collector:
    """Takes the gradient of the mean value over groups of images, in eval mode.

    One forward and backward over many images gives the inputs of every layer and the
    gradient of its output, and these each image's gradient: by a product for linear and
    convolution weights, by vmap over its own backward for any other module. A trial on
    two images compares them with plain autograd; a layer that disagrees (its weight is
    used in other ways, images are not its first dimension) takes one ordinary backward
    pass per row.

    Args:
        model: Its mode and flags are as before after each call.
        names: Parameters to differentiate by.
        fetch: Gives images and what to differentiate.
        first: Numbers of images to try the ways on.
        batch: Images b in each group; 8 and more are passed together.
        monitor: Hears of every slower way.
        thrift: Halves the micro-batches so often.
    """

    def __init__(
        self,
        model: nn.Module,
        names: tuple[str, ...],
        fetch: Fetch,
        first: Tensor,
        batch: int,
        monitor: Monitor,
        thrift: int = 0,
    ) -> None:
        self._model, self._names, self._fetch = model, names, fetch
        with frozen(model):
            images, _ = fetch(first[:PROBE])
            single = batch < LOOP_FROM
            weights = self._weights()
            self._ways = _trusted(model, weights, images) if single else Ways()
            fitting = images_at_once(model, self._ways, images)
        self._at_once = max(1, fitting >> thrift)
        self._others = [name for name in names if name not in self._ways.names]
        self._tell(single, monitor)

    def rows(self, groups: Tensor, monitor: Monitor, rows: Rows | None = None) -> Rows:
        """(N, numel) for each name, in the dtype of the weights.

        Args:
            groups: Image numbers (N, b); N may be 0.
            monitor: Hears of progress.
            rows: Zeros to fill; None makes tensors.
        """
        rows = rows or {
            name: torch.zeros(len(groups), w.numel(), dtype=w.dtype, device=w.device)
            for name, w in self._weights().items()
        }
        with frozen(self._model):
            if self._ways.names and len(groups):
                self._fill_batched(groups, rows, monitor)
            if self._others:
                self._fill_looped(groups, rows, monitor)
        return rows

    def _weights(self) -> dict[str, Tensor]:
        return {name: self._model.get_parameter(name) for name in self._names}

    def _tell(self, single: bool, monitor: Monitor) -> None:
        vmapped = [name for name in self._names if name in self._ways.vmapped]
        if vmapped:
            monitor.notice(
                f"Gradients of {', '.join(vmapped)} are taken by vmap, which is "
                "slower.",
                "Exclude these layers if it takes too long.",
                level="info",
            )
        if self._others and single:
            monitor.notice(
                f"Gradients of {', '.join(self._others)} are taken one image at a "
                "time.",
                "This is slower; exclude these layers if it takes too long.",
                level="info",
            )

    def _fill_batched(self, groups: Tensor, rows: Rows, monitor: Monitor) -> None:
        count, size = groups.shape
        step = rows_at_once(self._at_once, size)
        for start in monitor.track(range(0, count, step), "Gradients"):
            part = groups[start : start + step]
            images, objective = self._fetch(part.reshape(-1))
            found = batched(self._model, self._ways, images, objective)
            for name, each in found.items():
                means = each.reshape(len(part), size, -1).mean(1)
                rows[name][start : start + step] = means

    def _fill_looped(self, groups: Tensor, rows: Rows, monitor: Monitor) -> None:
        for row, group in enumerate(monitor.track(groups, "Gradients")):
            sums: dict[str, Tensor] = {}
            for piece in group.split(self._at_once):
                images, objective = self._fetch(piece)
                found = looped(self._model, self._others, images, objective)
                for name, total in found.items():
                    share = total / len(group)
                    sums[name] = sums[name] + share if name in sums else share
            for name, mean in sums.items():
                rows[name][row] = mean


def _trusted(model: nn.Module, weights: dict[str, Tensor], images: Tensor) -> Ways:
    """The ways whose gradients agree with plain autograd on these images.

    What its own modules cannot give is tried by vmap over the whole network.
    """
    near = agreeing(model, ways_of(model, weights, images), images)
    rest = {name: name for name in weights if name not in near.names}
    if not rest:
        return near
    far = agreeing(model, Ways(callers={model: rest}), images)
    around = {**near.callers.get(model, {}), **far.callers.get(model, {})}
    return Ways(near.owners, near.callers | ({model: around} if around else {}))


def agreeing(model: nn.Module, ways: Ways, images: Tensor) -> Ways:
    """Those of the ways whose gradients on these images are those of autograd."""
    ways, found = _possible(model, ways, images)
    good = set(found)
    for row in range(len(images)):
        # The same batch again: another size rounds otherwise and flips ReLUs near 0.
        wanted = looped(
            model, sorted(good), images, lambda out, row=row: _trial(out)[row]
        )
        for name in tuple(good):
            right = wanted.get(name, torch.zeros_like(found[name][row]))
            error = (found[name][row] - right).norm()
            if not error <= TOLERANCE * right.norm():
                good.discard(name)
    return ways.of(good)


def _possible(
    model: nn.Module, ways: Ways, images: Tensor
) -> tuple[Ways, dict[str, Tensor]]:
    """The ways that work at all, and what they find; vmap cannot do everything."""
    try:
        return ways, batched(model, ways, images, _trial)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, ValueError):
        if not ways.callers:
            raise
    for module, inner in ways.callers.items():
        try:
            batched(model, Ways(callers={module: inner}), images, _trial)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, TypeError, ValueError):
            ways = ways.of(ways.names - set(inner.values()))
    return ways, batched(model, ways, images, _trial)


def _trial(outputs: Tensor) -> Tensor:
    """A value per image whose gradient does not fade when a network is certain."""
    flat = outputs.flatten(1)
    ramp = torch.arange(flat.shape[1], dtype=flat.dtype, device=flat.device)
    return (flat * ramp.cos()).sum(1)


def images_at_once(model: nn.Module, ways: Ways, images: Tensor) -> int:
    """How many images a micro-batch takes, judged by a pass of these few."""
    return max(1, BUDGET // _bytes_per_image(model, ways, images))


def rows_at_once(images: int, batch: int) -> int:
    """How many rows of `batch` images a micro-batch takes if so many images fit.

    A power of two divides CHUNK, so several processes make the micro-batches of one.
    """
    return 1 << (max(1, min(images // batch, CHUNK)).bit_length() - 1)


@torch.no_grad()
def _bytes_per_image(model: nn.Module, ways: Ways, images: Tensor) -> int:
    """Roughly what one image takes in a batched pass: activations, patches, rows."""
    kept = patches = 0

    def count(module: nn.Module, args: tuple, output: Any) -> None:
        nonlocal kept, patches
        output = output[0] if isinstance(output, tuple) else output
        if isinstance(output, Tensor):
            kept += output.nbytes
            patches = max(patches, patch_bytes(module, output))
            if module in ways.callers:
                patches = max(patches, AGAIN * output.nbytes)

    with ExitStack() as hooks:
        for module in model.modules():
            if module in ways.callers or not any(True for _ in module.children()):
                hooks.callback(module.register_forward_hook(count).remove)
        model(images)
    if model in ways.callers:
        kept *= 2  # the whole network once more
    rows = sum(weight.nbytes for weight in model.parameters())
    return max(1, 2 * (kept + patches) // len(images) + rows)
