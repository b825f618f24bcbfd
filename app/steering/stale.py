"""Stale: why saliencies are no longer those that a run of the recipe would find."""

from collections.abc import Container, Iterable

from app.tables.exclusion import covering, is_fixed
from app.tables.units import short
from engine.facts import LayerInfo
from engine.recipe import Recipe
from engine.steering.what_if import knows

AGAIN = "Press Score (F9) again: "


def stale(
    then: Recipe, now: Recipe, infos: Iterable[LayerInfo], known: Container[str]
) -> str:
    """In a sentence; empty where they still are.

    Args:
        then: With which they were found.
        now: The recipe.
        infos: Its layers.
        known: Layers that have saliencies.
    """
    if not knows(now.allocation):
        return "What this kind of target does cannot be foretold."
    joined = getattr(now.estimator, "joins_layers", False)
    if joined and then.allocation.exclude != now.allocation.exclude:
        return AGAIN + "this method ranks all layers together, and they changed."
    if (then.estimator, then.pattern) != (now.estimator, now.pattern):
        return AGAIN + "the method or the pattern has changed since."
    if then.machine.seed != now.machine.seed:
        return AGAIN + "the seed has changed since."
    for info in infos:
        left_out = is_fixed(info) or covering(info.name, now.allocation.exclude)
        if info.name not in known and not left_out and "shared" not in info.reason:
            return f"{AGAIN}{short(info.name)} has no saliencies yet."
    return ""
