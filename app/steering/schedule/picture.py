"""Picture: what the schedule strip draws, as numbers and words."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.steering.schedule.foretold import in_force
from app.steering.schedule.handles import Handle
from app.steering.schedule.strip import Strip
from app.tables.units import many, percent
from engine.recipe import Recipe

POINTS = 240  # of the learning-rate curve to come
COLUMNS = ("series", "epoch", "sparsity", "learning_rate")
Span = tuple[str, float, float]  # Settle, Prune or Recover, from, to
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Picture:
    """Percent and learning rates over epochs.

    Attributes:
        label: Of the percent axis.
        planned, done: Prunes.
        way, done_way: The same, and where they begin.
        spans: Phases.
        ahead, so_far: Learning rates, planned and as they were.
        now: Where the run is; None when none goes on.
        end, top: Epochs and learning rate to have in view.
        trains: Whether there is fine-tuning.
        handles: What can be moved, unless all is `locked`.
    """

    label: str
    planned: Points
    done: Points
    way: Points
    done_way: Points
    spans: tuple[Span, ...]
    ahead: tuple[np.ndarray, np.ndarray]
    so_far: tuple[np.ndarray, np.ndarray]
    now: float | None
    end: float
    top: float
    trains: bool
    handles: tuple[Handle, ...]
    locked: bool


def picture(strip: Strip) -> Picture:
    """Of the next run, or of the one that goes on."""
    recipe, course = strip.recipe, strip.course
    live = strip.live
    shown = live or course.planned is not None
    done = tuple((x, 100 * y) for x, y in course.done) if shown else ()
    planned = tuple((x, 100 * y) for x, y in strip.levels)
    begin = 100 * course.begin if live else 0.0
    reached = 100 * course.reached if live else begin
    at = course.now if live else 0.0
    end = float(max(recipe.finetune.epochs, course.now if shown else 0.0))
    ahead = _rates(strip.given, at, recipe.finetune.epochs, strip.amended)
    so_far = course.record.training.finite("epoch", "learning_rate")
    top = max([recipe.finetune.learning_rate, *so_far[1].tolist()])
    return Picture(
        f"{'Sparsity' if recipe.allocation.of == 'weights' else 'MACs removed'} %",
        planned,
        done,
        ((at, reached), *planned),
        ((0.0, 100 * course.begin), *done) if done else (),
        _spans(recipe, planned, done if live else ()),
        ahead,
        so_far,
        course.now if live else None,
        end,
        top,
        bool(recipe.finetune.epochs or len(so_far[0])),
        strip.handles,
        bool(strip.locked),
    )


def sentence(strip: Strip) -> str:
    """The schedule in words, and what was changed while the run went on."""
    changed = [
        f"After epoch {event.epoch}: {event.words}."
        for event in strip.course.changes.values()
        if strip.live or strip.amended
    ]
    return " ".join([_plan(strip), *changed])


def _plan(strip: Strip) -> str:
    recipe = strip.recipe
    levels, epochs = strip.levels, recipe.finetune.epochs
    target = percent(recipe.allocation.sparsity)
    of = "" if recipe.allocation.of == "weights" else f" of the {recipe.allocation.of}"
    if strip.live:
        course = strip.course
        left = many(len(levels), "prune") if levels else "no prune"
        told = f"Now at epoch {course.now:.1f} of {epochs}, {percent(course.reached)} "
        return f"{told}gone: {left} to come{f', to {target}{of}' if levels else ''}."
    first, last = levels[0][0], levels[-1][0]
    prunes = many(len(levels), "prune")
    over = f" within {many(int(last - first), 'epoch')}" if last > first else ""
    settle = f"{many(int(first), 'epoch')} to settle, then " if first else ""
    rest = epochs - last
    after = f"then {many(int(rest), 'epoch')} to recover" if rest else "no recovery"
    return f"{settle}{prunes} to {target}{of}{over}, {after}."


def rows(strip: Strip) -> Iterator[tuple]:
    """Every point under `COLUMNS`."""
    shown = picture(strip)
    for name, points in (("planned", shown.planned), ("done", shown.done)):
        for epoch, level in points:
            yield name, epoch, level, ""
    for name, curve in (("planned", shown.ahead), ("done", shown.so_far)):
        for epoch, rate in zip(*(each.tolist() for each in curve), strict=True):
            yield name, epoch, "", rate


def _rates(
    recipe: Recipe, start: float, end: float, amended: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The learning rate from here to the end, by the code that trains."""
    if end <= start:
        return np.empty(0), np.empty(0)
    epochs = np.linspace(start, end, POINTS, endpoint=False)
    plan = recipe.amendments if amended else ()
    held = [in_force(recipe, count).finetune for count in range(len(plan) + 1)]
    rates = []
    for epoch in epochs.tolist():
        tuning = held[sum(each.epoch <= epoch for each in plan)]
        rates.append(tuning.rate_at(epoch))
    return epochs, np.array(rates)


def _spans(recipe: Recipe, planned: Points, done: Points) -> tuple[Span, ...]:
    """Settle before the first prune, recover after the last."""
    prunes = [x for x, _ in (*done, *planned)]
    if not prunes:
        return ()
    first, last, end = min(prunes), max(prunes), recipe.finetune.epochs
    spans = (
        ("Settle", 0.0, first),
        ("Prune", first, last),
        ("Recover", last, float(end)),
    )
    return tuple((n, a, b) for n, a, b in spans if b > a or n == "Prune")
