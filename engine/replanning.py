"""Replanning: the state of a node, as a run with another recipe can go on from it."""

import dataclasses
from operator import attrgetter
from typing import Any

from engine.errors import InputError
from engine.job import Job
from engine.masks import Masks
from engine.recipe import Recipe
from engine.schedules.base import Level
from engine.words.units import percent

NEAR = 1e-4  # of the weights: less is no prune worth its curvature
PLANNING = ("allocation", "pattern", "schedule", "finetune.epochs")  # give the prunes
BLOCKING = ("estimator", "machine.device", "machine.memory")  # give the block size


def replanned(
    state: dict[str, Any], job: Job, own: Recipe
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The state of a node as a job with another recipe can go on from, and notes.

    With the same allocation, pattern, schedule and epochs the prunes are those that the
    run had planned. Otherwise they are planned as if from the beginning: prunes that
    are behind are left out, and what is overdue is taken at once.

    Args:
        state: Of the node, see `Job.state_dict`.
        job: Loaded with the recipe of the branch, its network dense.
        own: Recipe of the run that the node is of.

    Raises:
        InputError: The recipe cannot apply to a network that is pruned so far.
    """
    recipe, tuning, notes = job.recipe, dict(state["finetuner"]), []
    masks = _masks(state["masks"], job)
    levels = tuple(Level(*level) for level in state["levels"])
    level, step = state["level"], state["step"]
    amended = recipe.amendments != own.amendments
    if amended or any(_other(recipe, own, key) for key in PLANNING):
        done = _done(levels, level, step)
        behind = levels[level - 1].epoch if level else -1
        levels = (*done, *_remaining(job, masks, tuning["epoch"], behind))
        level, step = len(done), 0
    changes: dict[str, Any] = {"measured": level, "level": level, "step": step}
    if level < len(levels):  # what was found out after the last prune is of another
        dense = {"dense": state["results"]["dense"]}
        changes |= {"repaired": False, "results": dense}
        tuning["best"] = None
    if amended:
        changes |= {"amended": 0}
        notes.append(
            "What was changed while the run went on is left out: the branch goes by "
            "its recipe as it stands."
        )
    if any(_other(recipe, own, key) for key in BLOCKING):
        changes |= {"block_size": job.budget.block_size}
    if recipe.estimator != own.estimator:
        changes |= {"learned": {}}
    elif state["learned"] is None:
        changes |= {"learned": {}}
        notes.append(
            "What the estimator had learned by then was too large to keep, so it "
            "learns anew."
        )
    if tuning["epoch"] and tuning["epoch"] < recipe.finetune.epochs:
        notes.append("Fine-tuning goes on with a fresh optimiser, without momentum.")
    plain = [dataclasses.astuple(each) for each in levels]
    return state | changes | {
        "masks": masks,
        "levels": plain,
        "finetuner": tuning,
    }, tuple(notes)


def _other(recipe: Recipe, own: Recipe, key: str) -> bool:
    """Whether a group or setting is another."""
    read = attrgetter(key)
    return read(recipe) != read(own)


def _masks(kept: Masks, job: Job) -> Masks:
    """Those of the layers that are prunable now."""
    for name, mask in kept.items():
        if name not in job.masks and not bool(mask.all()):
            raise InputError(
                f"{name} is pruned already, so it cannot be excluded any more.",
                "Give it its present sparsity as allocation.ceiling, or branch from an "
                "earlier node.",
            )
    own = {name: mask.cpu() for name, mask in job.masks.items()}
    return {name: kept.get(name, mask) for name, mask in own.items()}


def _done(levels: tuple[Level, ...], level: int, step: int) -> tuple[Level, ...]:
    """The prunes that are behind, a half done one among them."""
    if not step:
        return levels[:level]
    half = levels[level]
    part = dataclasses.replace(half, steps=half.steps[:step], depths=half.depths[:step])
    return (*levels[:level], part)


def _rounding(job: Job, masks: Masks) -> float:
    """What a prune may be off its level by, as the allocation counts it."""
    prices = job.recipe.allocation.prices(masks, job.uses)
    total = sum(prices[name] * mask.numel() for name, mask in masks.items())
    return max(NEAR, max(prices.values()) / total)


def _remaining(job: Job, masks: Masks, epoch: int, behind: int) -> tuple[Level, ...]:
    """The prunes of the job's own plan that are still to come.

    Args:
        job: Loaded.
        masks: Of the node.
        epoch: Of the node.
        behind: Epoch of the last prune that is complete; -1 is none.
    """
    allocation, uses = job.recipe.allocation, job.uses
    allocation.check(masks, uses)
    now, near = allocation.progress(masks, uses), _rounding(job, masks)
    if now > allocation.sparsity + near:
        raise InputError(
            f"{percent(now, 2)} of the {allocation.of} are gone at this node, more "
            f"than the target of {percent(allocation.sparsity, 2)}.",
            "Raise allocation.sparsity, or branch from an earlier node.",
        )
    zeros, _ = job.recipe.pattern.limits(masks)
    most = allocation.share(zeros, masks, uses)
    found: list[Level] = []
    for level in job.course.levels:
        steps = tuple(min(s, most) for s in level.steps if s > now + near)
        ahead = tuple(s for s in dict.fromkeys(steps) if s > now + near)
        due = max(level.epoch, epoch)
        if not ahead or (level.epoch <= behind and level is not job.course.levels[-1]):
            continue
        if found and found[-1].epoch == due:
            found.pop()
        found.append(Level(due, ahead))
    return tuple(found)
