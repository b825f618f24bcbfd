"""Damping in words: what one damping comes to; a hollow mark says foretold."""

from app.steering.damping.steering import DampingSteering
from app.tables.units import PREDICTED, SEPARATOR, percent, rough, signed

EMPTY = (
    "Press Look: it collects the gradients of the method once and shows what every "
    "damping would do, and whether fewer or more gradients would remove the same "
    "weights. Nothing is pruned."
)
LOOKING = (
    "Gradients are collected and their curvature is taken apart; the line below tells "
    "how far it is."
)
RULE = (
    "The largest damping whose removals cost at most 5 % more than the least. What a "
    "removal and its compensation cost is measured by each gradient that was left out "
    "of both, one after the other, for weights one by one: cross-validation, as for "
    "the penalty of ridge regression."
)
RULE_SAMPLES = (
    "The fewest gradients that remove 95 % of the weights that all of them remove; "
    "twice as many where half of them remove less than 90 %. This is about what goes; "
    "the compensation of survivors may gain from more."
)
JOINT = (
    "No damping is suggested for exact joint compensation: removals one by one do not "
    "tell what it does."
)
MEANING = (
    "All of it is foretold, for a single prune to the target. Damping far above the "
    "mean diagonal of F makes this magnitude pruning; far below 1e-6 of it the inverse "
    "is what no gradient tells. Ranks: Spearman's correlation of the saliencies with "
    "those of the recipe's damping. Removed set: intersection over union with what the "
    "recipe's damping removes. Predicted loss: the sum of the saliencies that go. By "
    "gradients left out: the same removals, one by one with full compensation, by "
    "gradients that took no part in them."
)


def in_words(steering: DampingSteering) -> str:
    """The damping that is shown, beside the recipe's."""
    shown, now = steering.shown, steering.now
    parts = [
        f"{rough(shown.ratio)} times the mean diagonal of F",
        f"ranks {shown.ranks:.4f}",
        f"removed set {percent(shown.overlap)}",
        f"predicted loss {signed(shown.predicted)}",
        f"by gradients left out {signed(shown.left_out)}",
    ]
    if shown != now:
        parts[-1] += f" (recipe's {signed(now.left_out)})"
    return f"{PREDICTED} {SEPARATOR.join(parts)}"


def unbroken(words: str) -> str:
    """The same, never broken before a percent sign."""
    return words.replace(" %", "\N{NO-BREAK SPACE}%")
