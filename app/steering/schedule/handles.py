"""Handles: the points of a schedule that can be moved, and what each stands for."""

from dataclasses import dataclass

from app.tables.units import many, number, percent
from engine.recipe import Recipe

SPARSITY, RATE = "sparsity", "rate"  # the plots


@dataclass(frozen=True)
class Standing:
    """How far a run is; as it stands here, none is on.

    Attributes:
        now: Epochs done once the one under way is.
        begun: Whether a prune step was taken.
        pruned: Whether all were.
        reached: What is gone by now, as the allocation counts it.
    """

    now: int = 0
    begun: bool = False
    pruned: bool = False
    reached: float = 0.0


@dataclass(frozen=True)
class Handle:
    """A point that can be moved.

    Attributes:
        name: Tells it apart.
        title: What it is.
        plot: Where it is; x in epochs, y in percent or as a learning rate.
        across, along: The settings that x and y move; empty where they move none.
        fixed: Why it cannot be moved, in a sentence; empty when it can.
    """

    name: str
    title: str
    plot: str
    x: float
    y: float
    across: str = ""
    along: str = ""
    fixed: str = ""


def handles(recipe: Recipe, standing: Standing) -> tuple[Handle, ...]:
    """Every handle that makes sense for a recipe, those of the prunes first."""
    return (*_pruning(recipe, standing), *_training(recipe, standing))


def shape_at(recipe: Recipe) -> tuple[float, float]:
    """Epoch and sparsity in the middle of a gradual schedule."""
    plan, target = recipe.schedule, recipe.allocation.sparsity
    first = min(plan.first, target)
    return (plan.start + plan.end) / 2, target + (first - target) * 0.5**plan.degree


def _pruning(recipe: Recipe, standing: Standing) -> list[Handle]:
    plan, target = recipe.schedule, recipe.allocation.sparsity
    over = "All prunes are done." if standing.pruned else ""
    if plan.kind != "gradual":
        along = "allocation.sparsity"
        return [Handle("target", "Target", SPARSITY, 0, 100 * target, "", along, over)]
    begun = "The first prune is done." if standing.begun else ""
    found = []
    if plan.start < plan.end:
        first = Handle(
            "first", "First prune", SPARSITY, plan.start, 100 * min(plan.first, target),
            "schedule.start", "schedule.first", begun,
        )  # fmt: skip
        found = [first] if over else [first, *_between(recipe)]
    last = Handle(
        "target", "Last prune", SPARSITY, plan.end, 100 * target,
        "schedule.end", "allocation.sparsity", over,
    )  # fmt: skip
    return [*found, last]


def _between(recipe: Recipe) -> list[Handle]:
    """How often is pruned between the first and the last prune, and how steeply."""
    (x, y), second = shape_at(recipe), recipe.schedule.start + recipe.schedule.interval
    every = "schedule.interval"
    return [
        Handle("interval", "Prune every", SPARSITY, second, 0, every),
        Handle("shape", "Shape", SPARSITY, x, 100 * y, "", "schedule.degree"),
    ]


def _training(recipe: Recipe, standing: Standing) -> list[Handle]:
    tuning, now = recipe.finetune, standing.now
    found = []
    if tuning.epochs > now and tuning.rate_at(now) > 0:
        title = "Learning rate now" if now else "Learning rate"
        rate, key = tuning.rate_at(now), "finetune.learning_rate"
        found.append(Handle("rate", title, RATE, now, rate, "", key))
    if tuning.decay == "step" and now < tuning.decay_every <= tuning.epochs:
        x = tuning.decay_every
        found.append(
            Handle(
                "drop", "First drop", RATE, x, tuning.rate_at(x),
                "finetune.decay_every", "finetune.decay_factor",
            )
        )  # fmt: skip
    end = Handle(
        "epochs", "End of fine-tuning", RATE, tuning.epochs, 0, "finetune.epochs"
    )
    return [*found, end]


def told(recipe: Recipe, handle: Handle) -> str:
    """The handle's settings in words, such as "after epoch 3, 90.0 % gone"."""
    plan, tuning = recipe.schedule, recipe.finetune
    what = recipe.allocation.of
    target = f"{percent(recipe.allocation.sparsity)} of the {what} gone"
    match handle.name:
        case "first":
            first = percent(min(plan.first, recipe.allocation.sparsity))
            return f"after epoch {plan.start}, {first} of the {what} gone"
        case "interval":
            return many(plan.interval, "epoch")
        case "shape":
            return f"degree {number(plan.degree)}"
        case "target" if handle.across:
            return f"after epoch {plan.end}, {target}"
        case "target":
            return target
        case "rate":
            return number(handle.y)
        case "drop":
            every = many(tuning.decay_every, "epoch")
            return f"after {every}, times {number(tuning.decay_factor)}"
        case _:
            return f"after epoch {tuning.epochs}"
