"""Repair layer by layer: survivors refitted to the dense network's outputs."""

import copy
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.errors import RunError
from engine.masks import Masks
from engine.monitor import Monitor
from engine.outer import BATCHED, fits, patches
from engine.repair.survivors import error, refit
from engine.repair.undo import undone_on_failure

BUDGET = 4 * 2**30  # bytes of activations that all images together may take
ALIVE = 6  # largest activations that a pass holds at the same time, roughly
PROBE = 2  # images of the pass that measures them
PIECE = 8192  # positions whose products are taken at once, before float64 adds them up
CONVERGED = 1e-4  # relative residual above which a person is told


@dataclass(frozen=True)
class Target:
    """What the dense network gives at the chosen positions of one layer.

    Attributes:
        at: Their coordinates among all positions (images first, then space).
        space: Size of the output's space; empty for a linear layer.
        outputs: (positions, channels), bias included.
    """

    at: tuple[Tensor, ...]
    space: tuple[int, ...]
    outputs: Tensor


class LayerRepair:
    """Sequential least squares on calibration images, no labels.

    For each layer in the order of the forward pass: min |W X - T|^2 over the surviving
    weights, X what the layer sees in the pruned network, repaired up to here, and T
    what it gives in the dense one, less the bias. All images go through as one batch
    and a layer is refitted the moment its input is there, so a repair takes one forward
    pass, however deep the network. A seeded choice of positions is enough, because
    there are far more of them than weights per channel; T at those positions is kept,
    4 bytes for each and each channel of every layer.

    Args:
        dense: The network before any prune; copied, and let go once T is known.
        names: Weights to refit; a layer that is neither linear nor a convolution, or
            whose weight is used more than once, is left alone with a notice.
        split: Training images; labels are not used.
        samples: Images to look at (at most all).
        positions: Output positions per layer, of all images together (at most all).
        ridge: Pull towards the weights as they are, relative to mean(diag X X^T).
        seed: Draws images and positions, the same ones for every repair.
    """

    def __init__(
        self,
        dense: nn.Module,
        names: tuple[str, ...],
        split: Split,
        samples: int,
        positions: int,
        ridge: float,
        seed: int,
    ) -> None:
        self._dense: nn.Module | None = copy.deepcopy(dense).eval()
        self._names, self._split = names, split
        self._positions, self._ridge = positions, ridge
        self._generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(split), generator=self._generator)
        self._chosen = chosen[:samples]
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
                module, inputs, masks[name], self._targets[name], self._ridge
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
                targets[name] = self._choose(module, outputs)

        self._limit_images(dense, monitor)
        with ExitStack() as hooks:
            for module in owners:
                handle = module.register_forward_hook(keep, with_kwargs=True)
                hooks.callback(handle.remove)
            dense(self._split.batch(self._chosen)[0])
        self._targets = {n: t for n, t in targets.items() if calls[n] == 1}
        left = [name for name in self._names if name not in self._targets]
        if left:
            monitor.notice(
                f"Least squares leave {', '.join(left)} alone: not a linear layer or "
                "convolution that is used exactly once.",
                level="info",
            )

    def _choose(self, module: nn.Module, outputs: Tensor) -> Target:
        """Draw positions of a layer's outputs and keep what is there."""
        if type(module) is not nn.Linear:
            outputs = outputs.movedim(1, -1)
        shape = outputs.shape[:-1]
        order = torch.randperm(shape.numel(), generator=self._generator)
        rows = order[: self._positions].sort().values.to(outputs.device)
        at = torch.unravel_index(rows, shape)
        space = () if type(module) is nn.Linear else tuple(shape[1:])
        return Target(at, space, outputs[at])

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
    gram, cross, square = _products(module, inputs, target)
    weights = module.weight.double().reshape(cross.shape)
    new, residual = refit(gram, cross, weights, kept.reshape(cross.shape), ridge)
    fit = error(gram, cross, square, weights), error(gram, cross, square, new)
    return new.reshape(module.weight.shape), fit, residual


def _products(
    module: nn.Module, inputs: Tensor, target: Target
) -> tuple[Tensor, Tensor, float]:
    """X X^T (groups, fan_in, fan_in), T X^T (groups, channels, fan_in), |T|^2."""
    groups = getattr(module, "groups", 1)
    seen = _positions_first(module, inputs, target.space)
    fan_in = module.weight[0].numel()
    gram = inputs.new_zeros(groups, fan_in, fan_in, dtype=torch.float64)
    cross = gram.new_zeros(groups, len(module.weight) // groups, fan_in)
    square = 0.0
    pieces = zip(*(index.split(PIECE) for index in target.at), strict=True)
    for at, outputs in zip(pieces, target.outputs.split(PIECE), strict=True):
        wanted = outputs if module.bias is None else outputs - module.bias
        x = seen[at].reshape(len(wanted), groups, fan_in).transpose(0, 1)
        t = wanted.reshape(len(wanted), groups, -1).transpose(0, 1)
        gram += (x.mT @ x).double()
        cross += (t.mT @ x).double()
        square += float(wanted.double().square().sum())
    return gram, cross, square


def _positions_first(
    module: nn.Module, inputs: Tensor, space: tuple[int, ...]
) -> Tensor:
    """A view (*positions, what the layer sees there) of a layer's input."""
    if type(module) is nn.Linear:
        return inputs
    view, axes = patches(module, inputs, space), len(space)
    kernel, out = range(2, 2 + axes), range(2 + axes, 2 + 2 * axes)
    return view.permute(0, *out, 1, *kernel)


def _tell(
    errors: list[tuple[float, float]], unsolved: list[str], monitor: Monitor
) -> None:
    if errors:
        before, after = (sum(side) / len(errors) for side in zip(*errors, strict=True))
        monitor.notice(
            f"Least squares on {len(errors)} layers: mean output error "
            f"{before:.1%} before, {after:.1%} after.",
            level="info",
        )
    if unsolved:
        monitor.notice(
            f"Least squares of {', '.join(unsolved)} stopped before they settled; "
            "the weights are better than before, not the best.",
            "Raise repair.ridge or repair.samples.",
        )
