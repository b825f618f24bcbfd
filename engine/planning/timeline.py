"""What the timeline of a run takes on the disk, and how much of it is kept."""

from engine.planning.memory import SINGLE, Extent
from engine.recipe import Recipe
from engine.schedules.base import Level

AUTO = 2**30  # bytes up to which a timeline is kept unasked


def wanted(recipe: Recipe, size: Extent, levels: tuple[Level, ...]) -> tuple[str, str]:
    """What to keep (everything, prunes or nothing), and a note on what is left out."""
    asked = recipe.machine.timeline
    if asked != "auto":
        return asked, ""
    found = next(
        what
        for what in ("everything", "prunes", "nothing")
        if takes(recipe, what, size, levels) <= AUTO
    )
    missing = {
        "prunes": "what every epoch left would take over 1 GB and is not kept",
        "nothing": "what every prune left would take over 1 GB and is not kept",
    }
    if found == "everything":
        return found, ""
    return found, f"Timeline: {missing[found]}; machine.timeline may ask for it."


def takes(recipe: Recipe, what: str, size: Extent, levels: tuple[Level, ...]) -> int:
    """Bytes, about: every node is a bit mask, what is left, and what cannot go.

    Args:
        recipe: Gives the epochs.
        what: To keep: everything, prunes or nothing.
        size: Of the network.
        levels: The prunes.
    """
    if what == "nothing":
        return 0
    total = size.parameters + sum(
        _node(size, step) for level in levels for step in level.steps
    )
    for epoch in range(1, recipe.finetune.epochs + 1):
        before = [level.sparsity for level in levels if level.epoch < epoch]
        due = any(level.epoch == epoch for level in levels)
        if what == "everything" or due:
            total += _node(size, before[-1] if before else 0.0)
    return round(total)


def _node(size: Extent, sparsity: float) -> float:
    """Bytes of a network at a sparsity."""
    return size.parameters + size.prunable * (1 / 8 - SINGLE * sparsity)
