"""Foretold: the prunes of a recipe before it runs, and those a run has still to do."""

from app.records.course import Course
from app.steering.schedule.handles import Standing
from engine.errors import InputError
from engine.recipe import Recipe

Levels = tuple[tuple[float, float], ...]  # epoch and level of each prune


def in_force(recipe: Recipe, count: int) -> Recipe:
    """The recipe once so many amendments hold; itself where they do not fit it."""
    try:
        return recipe.amended(count) if count else recipe
    except InputError:  # edited since, and a run would leave them out
        return recipe


def foretold(recipe: Recipe) -> Levels:
    """Every prune of a run of this recipe, its amendments included."""
    levels = _planned(recipe)
    for count, amendment in enumerate(recipe.amendments, 1):
        done, left = [], amendment.prunes
        for level in levels:
            if left >= len(level.steps):
                done.append(level)
                left -= len(level.steps)
            else:
                break
        last, reached = (done[-1].epoch, done[-1].sparsity) if done else (-1, 0.0)
        held = in_force(recipe, count)
        try:
            plan = held.schedule.onward(_planned(held), amendment.epoch, last, reached)
        except InputError:
            continue  # a run would leave it out
        levels = (*done, *plan)
    return tuple((level.epoch, level.sparsity) for level in levels)


def onward(recipe: Recipe, course: Course, standing: Standing) -> Levels:
    """The prunes that a run has still to do if it goes on by this recipe.

    Raises:
        InputError: It cannot.
    """
    if standing.pruned:
        return ()
    planned = _planned(recipe, course.begin)
    last = int(course.done[-1][0]) if course.done else -1
    left = int(course.under_way)
    found = recipe.schedule.onward(planned, standing.now, last, course.reached, left)
    return tuple((level.epoch, level.sparsity) for level in found)


def _planned(recipe: Recipe, begin: float = 0.0) -> tuple:
    target = recipe.allocation.sparsity
    epochs = recipe.finetune.epochs
    return recipe.schedule.levels(target, epochs, min(begin, target))
