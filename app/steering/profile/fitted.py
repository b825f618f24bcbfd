"""Fitted: what a fit came to, in a sentence."""

from app.tables.units import accuracy, count, exact, number, percent, stored
from engine.steering.wish import Fit, Goal, Wish

NAMES: dict[Goal, str] = {
    "weights": "weights left",
    "macs": "MACs left",
    "bytes": "compressed size",
    "milliseconds": "time for an image",
    "accuracy": "accuracy lost",
}


def amount(goal: Goal, value: float) -> str:
    """So much of it, with its unit."""
    if goal == "bytes":
        return stored(round(value))
    if goal == "milliseconds":
        return f"{number(value)} ms"
    if goal == "accuracy":
        return f"{value:.1f} points"
    return count(round(value))


def fitted(fit: Fit, stays: bool, classes: tuple[str, ...]) -> str:
    """The budget, what it came to, and on what that rests.

    Args:
        fit: What was found.
        stays: It is what was shown before.
        classes: Names, in the order of the labels.
    """
    wish, kept = fit.wish, fit.kept
    most = amount(wish.goal, wish.amount)
    if kept is None:
        share = f" ({percent(fit.used / fit.whole)})" if fit.whole else ""
        used, whole = amount(wish.goal, fit.used), amount(wish.goal, fit.whole)
        limit = f"{NAMES[wish.goal]} at most {most}"
        reached = f"{used} of {whole}{share}."
    else:
        of = "" if wish.label is None else f" of class {classes[wish.label]}"
        limit = f"at most {most} of accuracy{of} lost"
        reached = (
            f"{accuracy(kept.now)}, dense {accuracy(kept.dense)}, measured on "
            f"{exact(kept.images)} {kept.source} images with the masks alone."
        )
    if stays and wish.drawn is not None:
        return f"Your profile already has {limit}: {reached}"
    return f"{_how(wish)} with {limit}: {reached}{_rests(fit)}"


def _how(wish: Wish) -> str:
    if wish.drawn is None:
        return "Least loss"
    if wish.goal == "accuracy":
        return "Your profile, all layers lowered alike,"
    return "The nearest to your profile"


def _rests(fit: Fit) -> str:
    """Where losses came from, with a caution where they are of two kinds."""
    measured, layers = sum(n in fit.wish.measured for n in fit.units), len(fit.units)
    if fit.wish.drawn is not None or not measured:
        return ""
    if measured == layers:
        return " All losses were measured, each layer cut alone."
    return (
        f" {measured} of {layers} layers went by measured losses, the others by "
        "predicted ones, which may be on another scale: measure all."
    )
