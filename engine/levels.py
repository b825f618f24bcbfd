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
    start, allocation = masking.sparsity(masks), recipe.allocation
    zeros, notes = recipe.pattern.limits(masks)
    most, target = allocation.share(zeros, masks, uses), allocation.sparsity
    if start:
        count = masking.zeros(masks)
        notes = (
            f"{count:,} prunable weights are zero already ({percent(start)}); they "
            "stay removed and count.",
            *notes,
        )
    if most < target:
        notes = (
            *notes,
            f"The pattern takes at most {percent(most, 2)} of the prunable "
            f"{allocation.of}, so that is the target instead of {percent(target, 2)}.",
        )
        target = most
    if recipe.schedule.adaptive:
        notes = (
            *notes,
            f"A step may be halved {MOST} times, so each of those planned may become "
            f"{2**MOST}, and take the time of up to {2 ** (MOST + 1) - 1}.",
        )
    begin, epochs = allocation.progress(masks, uses), recipe.finetune.epochs
    return recipe.schedule.levels(target, epochs, min(begin, target)), notes
