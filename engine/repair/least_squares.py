"""Repair layer by layer: survivors refitted to the dense network's outputs."""

import copy
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.errors import RunError
from engine.gradients.outer import BATCHED, fits
from engine.loss import Loss
from engine.masks import Masks
from engine.monitor import Monitor
from engine.repair.products import Target, choose, products
from engine.repair.sensitivity import sensitivities
from engine.repair.survivors import error, refit
from engine.repair.undo import undone_on_failure
from engine.settings import Repair
from engine.words.units import percent

BUDGET = 4 * 2**30  # bytes of activations that all images together may take
ALIVE = 6  # largest activations that a pass holds at the same time, roughly
PROBE = 2  # images of the pass that measures them
CONVERGED = 1e-4  # relative residual above which a person is told


class LayerRepair:
    """Sequential least squares on calibration images, no labels.

    For each layer in the order of the forward pass: min |M^1/2 (W X - T)|^2 over the
    surviving weights, M the identity or how much the logits mind each channel, X what
    the layer sees in the pruned network, repaired up to here, and T what it gives in
    the dense one, less the bias. All images go through as one batch and a layer is
    refitted the moment its input is there, so a repair takes one forward pass, however
    deep the network. A seeded choice of positions is enough, because there are far more
    of them than weights per channel; T at those positions is kept in memory.

    Args:
        dense: The network before any prune; copied, and let go once T is known.
        names: Weights to refit; a layer that is neither linear nor a convolution, or
            whose weight is used more than once, is left alone with a notice.
        split: Training images; labels are not used.
        loss: Knows what the network returns; only the weighted form asks.
        settings: Images, positions per layer (of all images together), ridge, weighted.
        seed: Draws images and positions, the same ones for every repair.
    """

    def __init__(
        self,
        dense: nn.Module,
        names: tuple[str, ...],
        split: Split,
        loss: Loss,
        settings: Repair,
        seed: int,
    ) -> None:
        self._dense: nn.Module | None = copy.deepcopy(dense).eval()
        self._names, self._split, self._loss = names, split, loss
        self._settings = settings
        self._generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(split), generator=self._generator)
        self._chosen = chosen[: settings.samples]
        self._targets: dict[str, Target] = {}

    def __call__(self, model: nn.Module, masks: Masks, monitor: Monitor) -> None:
        """Refit the kept weights of `model` in place, in eval mode; zeros stay zero.

        Raises:
            RunError: A refit is not finite; the network is as it was.
            Stopped: A stop was asked for; the network is as it was.
        """
        if self._dense is not None:
            self._take_targets(self._dense, monitor)
            self._dense = None
        owners = _owners(model, tuple(self._targets))
        progress = iter(monitor.track(self._targets, "Least squares"))
        errors: list[tuple[float, float]] = []
        unsolved: list[str] = []

        def mend(module: nn.Module, args: tuple, kwargs: dict) -> None:
            next(progress)
            name = owners[module]
            inputs = (args or tuple(kwargs.values()))[0]
            weights, fit, residual = _mended(
                module, inputs, masks[name], self._targets[name], self._settings.ridge
            )
            if not bool(torch.isfinite(weights).all()):
                raise RunError(
                    f"The least squares of {name} are not finite.",
                    "Raise repair.ridge or set repair.layers to never.",
                )
            module.weight.copy_(weights)
            errors.append(fit)
            if residual > CONVERGED:
                unsolved.append(name)

        model.eval()
        with undone_on_failure(model), ExitStack() as hooks, torch.no_grad():
            for module in owners:
                handle = module.register_forward_pre_hook(mend, with_kwargs=True)
                hooks.callback(handle.remove)
            model(self._split.batch(self._chosen)[0])
            next(progress, None)
        _tell(errors, unsolved, monitor)

    @torch.no_grad()
    def _take_targets(self, dense: nn.Module, monitor: Monitor) -> None:
        owners, calls = _owners(dense, self._names), Counter[str]()
        targets: dict[str, Target] = {}

        def keep(module: nn.Module, args: tuple, kwargs: dict, outputs: Tensor) -> None:
            monitor.check()
            name = owners[module]
            calls[name] += 1
            if fits(module, (args or tuple(kwargs.values()))[0], 1):
                targets[name] = choose(
                    module, outputs, self._settings.positions, self._generator
                )

        self._limit_images(dense, monitor)
        with ExitStack() as hooks:
            for module in owners:
                handle = module.register_forward_hook(keep, with_kwargs=True)
                hooks.callback(handle.remove)
            dense(self._split.batch(self._chosen)[0])
        self._targets = {n: t for n, t in targets.items() if calls[n] == 1}
        if self._settings.weighted:
            self._weigh(dense, owners, monitor)
        left = [name for name in self._names if name not in self._targets]
        if left:
            monitor.notice(
                f"Least squares leave {', '.join(left)} alone: not a linear layer or "
                "convolution that is used exactly once.",
                level="info",
            )

    def _weigh(
        self, dense: nn.Module, owners: dict[nn.Module, str], monitor: Monitor
    ) -> None:
        used = {m: name for m, name in owners.items() if name in self._targets}
        found = sensitivities(
            dense, used, self._split, self._chosen, self._loss, self._generator, monitor
        )
        for name, metric in found.items():
            target = self._targets[name]
            metric = metric.to(target.outputs.device)
            self._targets[name] = replace(target, metric=metric)

    def _limit_images(self, dense: nn.Module, monitor: Monitor) -> None:
        """Take fewer images where all of them in one batch would take too much."""
        largest = 0

        def weigh(module: nn.Module, args: tuple, outputs: object) -> None:
            nonlocal largest
            if isinstance(outputs, Tensor):
                largest = max(largest, outputs.nbytes)

        probe = self._chosen[:PROBE]
        with ExitStack() as hooks:
            for module in dense.modules():
                hooks.callback(module.register_forward_hook(weigh).remove)
            dense(self._split.batch(probe)[0])
        most = max(PROBE, BUDGET * len(probe) // (ALIVE * max(largest, 1)))
        if len(self._chosen) > most:
            monitor.notice(
                f"Least squares look at {most:,} images instead of "
                f"{len(self._chosen):,}, which do not fit into {BUDGET >> 30} GiB.",
                "Lower repair.samples to silence this.",
            )
            self._chosen = self._chosen[:most]


def _owners(model: nn.Module, names: tuple[str, ...]) -> dict[nn.Module, str]:
    """Linear and convolution modules that alone hold one of these weights."""
    weights = {id(model.get_parameter(name)): name for name in names}
    holders = [m for m in model.modules() if id(getattr(m, "weight", None)) in weights]
    held = Counter(id(module.weight) for module in holders)
    return {
        module: weights[id(module.weight)]
        for module in holders
        if type(module) in BATCHED and held[id(module.weight)] == 1
    }


def _mended(
    module: nn.Module, inputs: Tensor, kept: Tensor, target: Target, ridge: float
) -> tuple[Tensor, tuple[float, float], float]:
    """New weights, relative output error (before, after), residual of the solve."""
    gram, cross, square = products(module, inputs, target)
    weights = module.weight.double().reshape(cross.shape)
    metric = target.metric
    if metric is not None:  # of grouped convolutions: channels of one group together
        count = cross.shape[1]
        blocks = [part.split(count, 1) for part in metric.split(count)]
        metric = torch.stack([row[group] for group, row in enumerate(blocks)])
    kept = kept.reshape(cross.shape)
    new, residual = refit(gram, cross, weights, kept, ridge, metric)
    fit = error(gram, cross, square, weights), error(gram, cross, square, new)
    return new.reshape(module.weight.shape), fit, residual


def _tell(
    errors: list[tuple[float, float]], unsolved: list[str], monitor: Monitor
) -> None:
    if errors:
        before, after = (sum(side) / len(errors) for side in zip(*errors, strict=True))
        monitor.notice(
            f"Least squares on {len(errors)} layers: mean output error "
            f"{percent(before)} before, {percent(after)} after.",
            level="info",
        )
    if unsolved:
        monitor.notice(
            f"Least squares of {', '.join(unsolved)} stopped before they settled; "
            "the weights are better than before, not the best.",
            "Raise repair.ridge or repair.samples.",
        )
