"""Memory of passes through the network by phase, measured on shapes alone."""

from functools import partial

import torch
from torch import Tensor, nn

from engine.estimators.base import ObsEstimator
from engine.gradients.backward import batched, looped
from engine.gradients.collector import LOOP_FROM, PROBE, images_at_once, rows_at_once
from engine.gradients.ways import Ways, ways_of
from engine.planning import meter
from engine.planning.memory import SINGLE, Extent, samples
from engine.recipe import Recipe
from engine.repair import batch_norms

HELD = 1.65  # times live bytes that training holds on a CPU; malloc keeps 1.5 to 1.9
DISTILLED = 5  # dense network, network before, gradients, two moments
FIT_BATCH = 128  # images of the fit check's batch norm


def passes(
    model: nn.Module, names: tuple[str, ...], size: Extent, recipe: Recipe
) -> dict[str, int]:
    """Bytes of activations and the like in each phase, whatever the curvature does."""
    measured = partial(meter.peak, model, size.shape)
    model.eval()
    shown = min(recipe.machine.batch, max(size.test, size.validation or size.train))
    found = {"evaluate": measured(shown, _forward)}
    if batch_norms(model):  # the fit check re-estimates them on a copy
        again = min(recipe.machine.batch, FIT_BATCH, size.train)
        found["repair"] = size.parameters + measured(again, _forward)
    cpu = next(model.parameters()).device.type == "cpu"
    held = HELD if cpu else 1
    if recipe.repair.distil != "never":
        batch = min(recipe.finetune.batch, recipe.repair.distil_samples, size.train)
        kept = DISTILLED * size.parameters
        model.train()
        taught = kept + int(measured(batch, _train) * held)
        model.eval()
        found["repair"] = max(found.get("repair", 0), taught)
    if isinstance(recipe.estimator, ObsEstimator):
        found["gradients"] = _gradients(model, names, size, recipe.estimator)
    if recipe.finetune.epochs:
        batch = min(recipe.finetune.batch, size.train)
        moments = {"sgd": 1, "adamw": 2}[recipe.finetune.optimizer]
        best = recipe.finetune.keep == "best"
        kept = (1 + moments + best) * size.parameters  # gradients, moments, best
        model.train()
        found["finetune"] = kept + int(measured(batch, _train) * held)
        model.eval()
        saved = (1 + moments + best) * size.parameters
        found["save"] = kept + saved
        levels = recipe.schedule.levels(
            recipe.allocation.sparsity, recipe.finetune.epochs
        )
        if levels[-1].epoch:  # training has begun before the last prune
            _add(found, kept)
    if recipe.schedule.adaptive:  # the weights before a step that may be undone
        _add(found, SINGLE * size.prunable)
    return found


def _add(found: dict[str, int], held: int) -> None:
    """What is held while a step is taken."""
    for phase in ("gradients", "curvature", "selection"):
        found[phase] = found.get(phase, 0) + held


def _gradients(
    model: nn.Module, names: tuple[str, ...], size: Extent, method: ObsEstimator
) -> int:
    """Bytes of one micro-batch, or of the trial before it if that is more."""
    found = [0]

    def served(net: nn.Module, images: Tensor) -> Ways:
        if method.batch >= LOOP_FROM:
            return Ways()
        return ways_of(net, {name: net.get_parameter(name) for name in names}, images)

    def one(net: nn.Module, images: Tensor) -> None:
        at_once = images_at_once(net, served(net, images), images)
        if method.batch >= LOOP_FROM:
            found[0] = min(at_once, method.batch)
        else:
            most = samples(method, size) * method.batch
            found[0] = min(rows_at_once(at_once, method.batch) * method.batch, most)

    def by_hooks(net: nn.Module, images: Tensor) -> None:
        _freeze(net)
        batched(net, served(net, images), images, _sum)

    def by_loop(net: nn.Module, images: Tensor) -> None:
        _freeze(net)
        looped(net, list(names), images, _sum)

    meter.peak(model, size.shape, PROBE, one)
    if method.batch >= LOOP_FROM:
        return meter.peak(model, size.shape, found[0], by_loop)
    kept = PROBE * SINGLE * size.prunable  # of the trial, while autograd repeats it
    trial = kept + meter.peak(model, size.shape, PROBE, by_loop)
    return max(trial, meter.peak(model, size.shape, found[0], by_hooks))


def _sum(outputs: Tensor) -> Tensor:
    return outputs.flatten(1).sum(1)


def _freeze(net: nn.Module) -> None:
    for weight in net.parameters():
        weight.requires_grad_(False)


def _forward(net: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        net(images)


def _train(net: nn.Module, images: Tensor) -> None:
    _sum(net(images)).sum().backward()
