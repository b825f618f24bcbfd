"""Amending: changes of the recipe while its run goes on, between two of its steps."""

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from engine.amendment import Amendment, Position
from engine.errors import InputError
from engine.events import Amended, AmendmentRefused, LevelsPlanned
from engine.job import Job
from engine.recipe import Recipe, setting_of
from engine.words.units import many


def amend(job: Job, record: Callable[[Recipe], None]) -> None:
    """Bring in force what the recipe has recorded for here, then what is asked for.

    Nothing happens inside a step that a stop has cut in two: a replay knows no stops.

    Args:
        job: Between two steps of its story.
        record: Keeps the recipe with its amendments, for resuming and for replays.
    """
    at = job.position
    if at is None:
        return
    while (rest := job.given.amendments[job.amended :]) and rest[0].at <= at:
        _apply(job, rest[0].changes, at, rest[1:], record)
    while (changes := job.monitor.control.wish()) is not None:
        _apply(job, changes, at, rest, record)


def planned(job: Job) -> LevelsPlanned:
    """The prunes, done and to come, as an event."""
    levels, recipe = job.course.levels, job.recipe
    epochs = tuple(float(level.epoch) for level in levels)
    sparsities = tuple(level.sparsity for level in levels)
    of = recipe.allocation.of
    return LevelsPlanned(epochs, sparsities, recipe.finetune.epochs, of)


def _apply(
    job: Job,
    changes: Mapping[str, float],
    at: Position,
    rest: tuple[Amendment, ...],
    record: Callable[[Recipe], None],
) -> None:
    """Amend, or say why not and forget the change."""
    held, before = job.given.amendments[: job.amended], job.recipe
    try:
        new = _amendment(changes, at)
        given = _recorded(job.given, (*held, new, *rest))
        _hold(job, given.amended(len(held) + 1))
    except InputError as error:
        job.monitor.emit(AmendmentRefused(error.message, error.hint))
        without = _recorded(job.given, (*held, *rest))
        if without != job.given:  # it was recorded, by hand or for another run
            job.given = without
            record(without)
        return
    job.given, job.amended = given, len(held) + 1
    record(given)
    words = _words(before, job.recipe, new.changes)
    job.monitor.emit(Amended(*at, tuple(new.changes.items()), words))
    job.monitor.emit(planned(job))


def _hold(job: Job, recipe: Recipe) -> None:
    """Go on by this recipe.

    Raises:
        InputError: It does not fit what is done; nothing was changed.
    """
    now, epochs = job.finetuner.epoch, recipe.finetune.epochs
    if epochs < now:
        raise InputError(
            f"{many(now, 'epoch')} of fine-tuning {'is' if now == 1 else 'are'} done, "
            f"so there cannot be {epochs} in all.",
            f"Set finetune.epochs to {now} or more.",
        )
    plan = recipe.allocation, recipe.schedule
    if plan != (job.recipe.allocation, job.recipe.schedule):
        job.course.replan(recipe, job.masks, now)
    elif recipe.finetune == job.recipe.finetune:
        raise InputError("The run does so already.", "Nothing was changed.")
    job.go_by(recipe)


def _amendment(changes: Mapping[str, float], at: Position) -> Amendment:
    epoch, prunes, halvings = at
    try:
        return Amendment(
            epoch=epoch, prunes=prunes, halvings=halvings, changes=dict(changes)
        )
    except ValidationError as error:
        told = error.errors()[0]["msg"].removeprefix("Value error, ").rstrip(".")
        raise InputError(f"{told}.", "Stop, and start another run for that.") from error


def _recorded(given: Recipe, amendments: tuple[Amendment, ...]) -> Recipe:
    return given.model_copy(update={"amendments": amendments})


def _words(before: Recipe, after: Recipe, changes: Mapping[str, float]) -> str:
    """Such as "epochs 5 instead of 3, sparsity 0.95 instead of 0.9"."""
    told = []
    for key in changes:
        group, _, name = key.partition(".")
        was, now = (getattr(getattr(each, group), name) for each in (before, after))
        title = setting_of(group, name).title
        told.append(f"{title[0].lower()}{title[1:]} {now:g} instead of {was:g}")
    return ", ".join(told)
