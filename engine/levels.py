"""The prunes of a run: what the schedule, the pattern and the network agree on."""

from engine import masks as masking
from engine.masks import Masks
from engine.recipe import Recipe
from engine.schedules.base import MOST, Level
from engine.words.units import percent


def levels(
    recipe: Recipe, masks: Masks, uses: dict[str, float]
) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """The schedule from where the network is to what the pattern allows, and notes.

    Args:
        recipe: Pattern, target and schedule.
        masks: Kept weights before the first prune.
        uses: Multiply-accumulates per weight of each layer, for one image.
    """
    target, notes = reachable(recipe, masks, uses)
    start = masking.sparsity(masks)
    if start:
        count = masking.zeros(masks)
        notes = (
            f"{count:,} prunable weights are zero already ({percent(start)}); they "
            "stay removed and count.",
            *notes,
        )
    if recipe.schedule.adaptive:
        notes = (
            *notes,
            f"A step may be halved {MOST} times, so each of those planned may become "
            f"{2**MOST}, and take the time of up to {2 ** (MOST + 1) - 1}.",
        )
    begin, epochs = recipe.allocation.progress(masks, uses), recipe.finetune.epochs
    return recipe.schedule.levels(target, epochs, min(begin, target)), notes


def reachable(
    recipe: Recipe, masks: Masks, uses: dict[str, float]
) -> tuple[float, tuple[str, ...]]:
    """The target or, if that is less, what the pattern allows, and notes."""
    allocation = recipe.allocation
    zeros, notes = recipe.pattern.limits(masks)
    most, target = allocation.share(zeros, masks, uses), allocation.sparsity
    if target <= most:
        return target, notes
    return most, (
        *notes,
        f"The pattern takes at most {percent(most, 2)} of the prunable "
        f"{allocation.of}, so that is the target instead of {percent(target, 2)}.",
    )
