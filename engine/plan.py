"""What a recipe will cost, before it starts."""

from dataclasses import dataclass

from engine import machine
from engine.errors import InputError
from engine.loading import load_network
from engine.monitor import Monitor
from engine.recipe import Recipe

FLOAT32, FLOAT64 = 4, 8


@dataclass(frozen=True)
class Plan:
    """A run in numbers.

    Attributes:
        device: Where it would happen.
        prunable: Weights that can go.
        targets: Sparsity after each prune, and `epochs` when each is due.
        steps: Prune steps in all, recomputations counted.
        calibration_images: Images with a backward pass over all steps.
        gradient_bytes: Gradients of one step.
        curvature_bytes: Inverse curvature of one step.
        free_bytes: Free on the device now.
    """

    device: str
    prunable: int
    targets: tuple[float, ...]
    epochs: tuple[int, ...]
    steps: int
    calibration_images: int
    gradient_bytes: int
    curvature_bytes: int
    free_bytes: int


def plan(recipe: Recipe, trust: frozenset[str] = frozenset()) -> Plan:
    """Predict a run's prunes, passes and curvature memory without touching images.

    Raises:
        InputError: The recipe cannot run, or its curvature does not fit into memory.
    """
    device = machine.pick_device(recipe.machine)
    _, layers = load_network(recipe, Monitor(), trust)
    prunable = sum(i.weights for i in layers if i.status == "prunable")
    levels = recipe.schedule.levels(recipe.allocation.sparsity, recipe.finetune.epochs)
    steps = sum(len(level.steps) for level in levels)
    samples = getattr(recipe.estimator, "samples", 0)
    images = samples * getattr(recipe.estimator, "batch", 0)
    planned = Plan(
        device=machine.describe(device),
        prunable=prunable,
        targets=tuple(level.sparsity for level in levels),
        epochs=tuple(level.epoch for level in levels),
        steps=steps,
        calibration_images=images * steps,
        gradient_bytes=samples * prunable * FLOAT32,
        curvature_bytes=samples * prunable * FLOAT32,
        free_bytes=machine.memory_free(device),
    )
    needed = planned.gradient_bytes + planned.curvature_bytes
    if needed > planned.free_bytes:
        raise InputError(
            f"The curvature needs about {needed / 1e9:.1f} GB and "
            f"{planned.free_bytes / 1e9:.1f} GB are free.",
            "Lower estimator.samples or exclude large layers.",
        )
    return planned
