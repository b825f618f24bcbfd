"""Bounds: what moving a handle changes, how far it may go, and why no further."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from app.steering.schedule.handles import Handle, Standing
from app.tables.units import many, percent
from engine.recipe import Recipe

TINY = 1e-3  # of the weights: what a prune removes at least, what stays at least
DEGREES = (0.1, 10.0)
RATES = (1e-9, 100.0)
MOST = 100_000  # epochs


@dataclass(frozen=True)
class Moved:
    """New values by dotted key, and why a value is not what was asked for."""

    changes: dict[str, float]
    reason: str = ""


def moved(
    recipe: Recipe, standing: Standing, handle: Handle, x: float, y: float
) -> Moved:
    """What the handle at this place means, held inside its bounds."""
    changes, reasons = {}, []
    for key, asked in ((handle.across, x), (handle.along, y)):
        if key:
            value, reason = BOUNDED[key](recipe, standing, asked)
            changes[key] = value
            reasons += [reason] if reason else []
    return Moved(changes, " ".join(reasons))


def _held(
    value: float, low: float, high: float, below: str, above: str
) -> tuple[float, str]:
    """Inside the bounds, and the reason where that is not what was asked for."""
    if value < low:
        return low, below
    return (high, above) if value > high else (value, "")


def _start(recipe: Recipe, standing: Standing, x: float) -> tuple[float, str]:
    end, now = recipe.schedule.end, standing.now
    late = f"The last prune is after epoch {end}."
    return _held(round(x), min(now, end), end, _past(now), late)


def _first(recipe: Recipe, standing: Standing, y: float) -> tuple[float, str]:
    target = recipe.allocation.sparsity
    high = f"The target is {percent(target)}."
    return _held(_fraction(y), 0.0, target, "Nothing less can be gone.", high)


def _interval(recipe: Recipe, standing: Standing, x: float) -> tuple[float, str]:
    plan = recipe.schedule
    span = max(plan.end - plan.start, 1)
    few = "Prunes are at least an epoch apart."
    return _held(round(x) - plan.start, 1, span, few, "The last prune is there.")


def _degree(recipe: Recipe, standing: Standing, y: float) -> tuple[float, str]:
    target = recipe.allocation.sparsity
    first = min(recipe.schedule.first, target)
    low, high = DEGREES
    share = (target - y / 100) / (target - first) if target > first else 1.0
    share = min(max(share, 0.5**high), 0.5**low)
    degree = float(f"{math.log(share) / math.log(0.5):.3g}")
    steep = f"The degree is {high:g} at most and {low:g} at least."
    return _held(degree, low, high, steep, steep)


def _end(recipe: Recipe, standing: Standing, x: float) -> tuple[float, str]:
    plan, epochs, now = recipe.schedule, recipe.finetune.epochs, standing.now
    low = max(plan.start, now)
    early = (
        _past(now) if now > plan.start else f"The first is after epoch {plan.start}."
    )
    late = f"Fine-tuning has {many(epochs, 'epoch')}; move its end first."
    return _held(round(x), min(low, epochs), epochs, early, late)


def _sparsity(recipe: Recipe, standing: Standing, y: float) -> tuple[float, str]:
    low = standing.reached + TINY if standing.begun else 0.0
    gone = f"{percent(standing.reached)} is gone already."
    below = gone if standing.begun else "Nothing less can be gone."
    return _held(_fraction(y), low, 1 - TINY, below, "Something has to stay.")


def _epochs(recipe: Recipe, standing: Standing, x: float) -> tuple[float, str]:
    last, now = getattr(recipe.schedule, "end", 0), standing.now
    early = f"The last prune is after epoch {last}." if last > now else _past(now)
    most = f"There are {MOST:,} epochs at most."
    return _held(round(x), max(last, now), MOST, early, most)


def _rate(recipe: Recipe, standing: Standing, y: float) -> tuple[float, str]:
    tuning = recipe.finetune
    share = tuning.rate_at(standing.now) / tuning.learning_rate
    low, high = RATES
    words = "A learning rate is above 0.", f"It is {high:g} at most."
    return _held(float(f"{y / share:.3g}"), low, high, *words)


def _drop(recipe: Recipe, standing: Standing, x: float) -> tuple[float, str]:
    tuning, now = recipe.finetune, standing.now
    late = f"Fine-tuning has {many(tuning.epochs, 'epoch')}."
    return _held(round(x), max(now, 1), max(tuning.epochs, 1), _past(now), late)


def _factor(recipe: Recipe, standing: Standing, y: float) -> tuple[float, str]:
    factor = float(f"{y / recipe.finetune.learning_rate:.3g}")
    words = "A learning rate is above 0.", "The rate only falls."
    return _held(factor, 1e-3, 1.0, *words)


def _fraction(y: float) -> float:
    """Of percent, to a tenth of a percent."""
    return round(y / 100, 3)


def _past(now: int) -> str:
    if not now:
        return "Nothing comes before the start."
    return f"{many(now, 'epoch')} will be done by then."


Bounded = Callable[[Recipe, Standing, float], tuple[float, str]]
BOUNDED: dict[str, Bounded] = {
    "schedule.start": _start,
    "schedule.first": _first,
    "schedule.interval": _interval,
    "schedule.degree": _degree,
    "schedule.end": _end,
    "allocation.sparsity": _sparsity,
    "finetune.epochs": _epochs,
    "finetune.learning_rate": _rate,
    "finetune.decay_every": _drop,
    "finetune.decay_factor": _factor,
}
