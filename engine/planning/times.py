"""Times of a run by phase, from short measurements on this machine."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from engine.estimators.base import ObsEstimator
from engine.facts import LayerInfo
from engine.planning import memory, probe
from engine.planning.budget import Budget, existing
from engine.planning.memory import Extent
from engine.planning.work import sides
from engine.recipe import Recipe

PROBED = (4, 32)  # images of the timed passes: more where they are quick
QUICK = 0.05  # seconds
EFFICIENCY = 0.6  # share of the product rate that curvature reaches
READ_RATE = 500e6  # bytes per second of a common solid-state disk
READS = 2  # of the paged gradients: fit and correction
RANKING = 4e-7  # seconds per weight to rank and count saliencies
STEPS = 150  # of conjugate gradients that a refit takes, as a rule
WEIGHING = 512  # images with a pass back that weigh the outputs, once


def seconds(
    recipe: Recipe,
    model: nn.Module,
    layers: tuple[LayerInfo, ...],
    size: Extent,
    budget: Budget,
    steps: int,
    device: torch.device,
    folder: Path,
) -> dict[str, float]:
    """Seconds of each phase, rough; the model's mode becomes eval.

    Args:
        recipe: What is run.
        model: On the device.
        layers: The prunable ones.
        size: Of network and data.
        budget: What was chosen so that it fits.
        steps: Prunes, recomputations counted.
        device: Where.
        folder: On the disk that would hold gradients; it need not exist yet.
    """
    model.eval()
    forward, backward = _per_image(model, size, device)
    rate = EFFICIENCY * probe.product_rate(device)
    epochs, method = recipe.finetune.epochs, recipe.estimator
    checked = 2 * steps * min(recipe.checks.images, size.train)
    shown = 3 * size.test + (epochs + steps) * size.validation + checked
    work = method.work(layers, size.train)
    found = {
        "evaluate": shown * forward,
        "gradients": steps * work.passes * backward,
        "curvature": steps * work.products / rate,
        "selection": RANKING * size.prunable * steps,
        "finetune": epochs * size.train * backward,
        "repair": _repair(recipe, layers, size, steps, forward, backward, rate),
    }
    if isinstance(method, ObsEstimator):
        rows, greedy = memory.samples(method, size), method.order == "greedy"
        fit, cut = memory.products(
            size, rows, budget.block_size, budget.storage.paged, greedy
        )
        if budget.disk:
            writing = budget.disk / probe.write_rate(existing(folder))
            found["gradients"] = max(found["gradients"], steps * writing)
        reading = budget.disk / READ_RATE
        fit *= 1 + recipe.bootstrap
        found["curvature"] += steps * (fit / rate + reading)
        found["selection"] += steps * (cut / rate + (reads(recipe) - 1) * reading)
    return {phase: round(seconds, 1) for phase, seconds in found.items() if seconds}


def _per_image(
    model: nn.Module, size: Extent, device: torch.device
) -> tuple[float, float]:
    """Seconds of a pass forward, and of one forward and back."""
    for count in PROBED:
        images = torch.rand(min(count, size.train), *size.shape, device=device)
        forward = probe.forward_seconds(model, images)
        if forward * len(images) > QUICK:
            break
    return forward, probe.backward_seconds(model, images[: -(-len(images) // 2)])


def reads(recipe: Recipe) -> int:
    """How often one step reads paged gradients."""
    method = recipe.estimator
    found = READS + (method.order == "greedy")
    if recipe.pattern.width > 1:  # saliencies, and what is summed up over groups
        found += 2
    return found + method.newton_solves


def _repair(
    recipe: Recipe,
    layers: Iterable[LayerInfo],
    size: Extent,
    steps: int,
    forward: float,
    backward: float,
    rate: float,
) -> float:
    """Least squares, distillation and batch norm, as often as each is due."""
    settings = recipe.repair
    often = {"never": 0, "end": 1, "every_step": steps}
    images = min(settings.samples, size.train)
    found = often[settings.batch_norm] * images * forward
    shown = settings.passes * min(settings.distil_samples, size.train)
    found += often[settings.distil] * shown * (forward + backward)
    if settings.layers == "never":
        return found
    solving = 0.0
    for layer in layers:
        out, width = sides(layer)
        seen = min(settings.positions, images * layer.macs / layer.weights)
        metric = out * settings.weighted
        solving += seen * width * (width + out) + STEPS * out * width * (width + metric)
    once = images * forward + settings.weighted * min(WEIGHING, images) * backward
    each = images * forward + solving / rate
    return found + once + often[settings.layers] * each
