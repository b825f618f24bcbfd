"""Digest: what one run folder says of itself, finished, broken or still going on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.events import LAST, Evaluated, Event, ModelLoaded, Pruned
from engine.events import RunFailed as Failed
from engine.events import RunFinished as Finished
from engine.facts import LayerState
from engine.part import title_of
from engine.recipe import Recipe, parse, read_json
from engine.records import codec
from engine.records.codec import finite
from engine.records.contents import replay
from engine.records.follow import Follower
from engine.records.notes import read_notes
from engine.steering.ranking import packed_bytes
from engine.words.units import many, percent

WIDTH = 4  # bytes of a weight
STAGES = ("dense", "pruned", "final")
TAIL = 65_536  # bytes at the end of a file that hold its last events


@dataclass(frozen=True)
class Result:
    """Mean test loss and accuracy in percent; None is unknown."""

    loss: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class Digest:
    """A run in one line; whatever could not be read is None or empty.

    Attributes:
        folder: Of the run.
        state: done, stopped, failed, running, interrupted (its writer is gone), missing
            or unreadable.
        problem: What is wrong with it, in a sentence.
        recipe: Plain content of its recipe, also of one this version cannot run.
        method, target, schedule: Of the recipe, in words.
        dense, pruned, final: Measured on test images.
        sparsity: Of the prunable weights.
        macs: Multiply-accumulates left of `macs_dense`, for one image.
        bytes: Of the parameters, pruned layers as values and one bit a weight.
        seconds: Of work.
        began: When, in seconds since 1970.
        layers: After the last prune.
        notes: What a person wrote.
    """

    folder: Path
    state: str = "unreadable"
    problem: str = ""
    recipe: Mapping[str, Any] | None = None
    method: str = ""
    target: str = ""
    schedule: str = ""
    dense: Result = Result()
    pruned: Result = Result()
    final: Result = Result()
    sparsity: float | None = None
    macs: float | None = None
    macs_dense: float | None = None
    bytes: int | None = None
    seconds: float | None = None
    began: float | None = None
    layers: tuple[LayerState, ...] = ()
    notes: str = ""


def digest(folder: str | Path) -> Digest:
    """Read a run folder; never fails, but says what is wrong with it."""
    folder = Path(folder).absolute()
    found = Digest(folder, notes=read_notes(folder))
    try:
        found = replace(found, began=(folder / "recipe.json").stat().st_mtime)
    except OSError:
        gone = "has no recipe.json" if folder.is_dir() else "is not there any more"
        return replace(found, state="missing", problem=f"{folder} {gone}.")
    found = _with_recipe(found)
    try:
        summary = json.loads((folder / "summary.json").read_bytes())
        return _with_summary(replace(found, state="done"), summary)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        found = _troubled(found, "Its summary.json cannot be read.")
    return _with_events(found)


def _with_recipe(found: Digest) -> Digest:
    try:
        content = read_json(found.folder, "recipe")
    except InputError as error:
        return _troubled(found, error.message)
    if not isinstance(content, dict):
        return _troubled(found, "Its recipe.json is no recipe.")
    groups = ("estimator", "allocation", "schedule")
    kinds = [_kind(content.get(group)) for group in groups]
    found = replace(
        found, recipe=content, method=kinds[0], target=kinds[1], schedule=kinds[2]
    )
    try:
        recipe = parse(content)
    except InputError as error:
        problem = f"Its recipe is of another version of this program: {error.message}"
        return _troubled(found, problem)
    return replace(
        found,
        recipe=recipe.model_dump(mode="json"),
        method=title_of(type(recipe.estimator)),
        target=f"{percent(recipe.allocation.sparsity)}, "
        f"{title_of(type(recipe.allocation)).lower()}",
        schedule=_schedule(recipe),
    )


def _schedule(recipe: Recipe) -> str:
    levels = recipe.schedule.levels(recipe.allocation.sparsity, recipe.finetune.epochs)
    steps = sum(len(level.steps) for level in levels)
    title = title_of(type(recipe.schedule))
    return f"{title}, {many(steps, 'prune')}" if steps > 1 else title


def _kind(group: Any) -> str:
    return str(group.get("kind", "")) if isinstance(group, dict) else ""


def _with_summary(found: Digest, told: dict[str, Any]) -> Digest:
    layers = tuple(
        LayerState(str(e["name"]), int(e["weights"]), int(e["zeros"]), e["sparsity"])
        for e in told.get("layers", ())
        if isinstance(e, dict) and {"name", "weights", "zeros", "sparsity"} <= set(e)
    )
    results = {stage: _result(told.get(stage)) for stage in STAGES}
    parameters = _number(told, "parameters")
    return replace(
        found,
        **results,
        sparsity=_number(told, "sparsity"),
        macs=_number(told, "macs"),
        macs_dense=_number(told, "macs_dense"),
        bytes=_bytes(parameters, layers) if parameters and layers else None,
        seconds=_number(told, "seconds"),
        layers=layers,
    )


def _with_events(found: Digest) -> Digest:
    """Of a run without a summary, from what it has said so far."""
    try:
        last, follower = _last(found.folder), Follower.of(found.folder)
    except (InputError, OSError) as error:
        text = error.message if isinstance(error, InputError) else str(error)
        return _troubled(found, text)
    follower.last = last
    state = "interrupted"
    if isinstance(last, LAST):
        state = "failed" if isinstance(last, Failed) else "stopped"
        if isinstance(last, Finished):
            found = _troubled(found, "It ended well, but its summary.json is missing.")
    elif not follower.over:
        state = "running"
    if isinstance(last, Failed):
        found = _troubled(found, f"{last.message} {last.hint}")
    found = replace(found, state=state, seconds=last.time if last else None)
    model, pruned = None, None
    try:
        for event in replay(found.folder, (ModelLoaded, Evaluated, Pruned)):
            if isinstance(event, ModelLoaded):
                model = event
            elif isinstance(event, Pruned):
                pruned = event
            elif event.split == "test" and event.stage in STAGES:
                measured = Result(finite(event.loss), finite(event.accuracy))
                found = replace(found, **{event.stage: measured})
    except InputError as error:
        found = _troubled(found, error.message)
    return _with_prune(found, model, pruned)


def _with_prune(
    found: Digest, model: ModelLoaded | None, pruned: Pruned | None
) -> Digest:
    if model is not None:
        found = replace(found, macs_dense=model.macs, macs=model.macs)
    if pruned is None:
        return found
    found = replace(found, sparsity=pruned.sparsity, layers=pruned.layers)
    if model is None:
        return found
    uses = {each.name: each.macs / max(each.weights, 1) for each in model.layers}
    gone = sum(uses.get(each.name, 0.0) * each.zeros for each in pruned.layers)
    size = _bytes(model.parameters, pruned.layers)
    return replace(found, macs=round(model.macs - gone), bytes=size)


def _last(folder: Path) -> Event | None:
    """The newest whole event, without reading the file from its beginning."""
    with (folder / "events.jsonl").open("rb") as file:
        size, tail = file.seek(0, 2), TAIL
        while True:
            file.seek(max(size - tail, 0))
            lines = file.read().split(b"\n")
            if len(lines) > 2 or tail >= size:
                break
            tail *= 4
    whole = [line for line in lines[:-1] if line]
    return codec.from_json(whole[-1].decode("utf-8", "replace")) if whole else None


def _bytes(parameters: float, layers: tuple[LayerState, ...]) -> int:
    spared = (
        each.weights * WIDTH - int(packed_bytes(each.weights, WIDTH, each.zeros))
        for each in layers
    )
    return int(parameters) * WIDTH - sum(spared)


def _result(told: Any) -> Result:
    if not isinstance(told, dict):
        return Result()
    return Result(_number(told, "loss"), _number(told, "accuracy"))


def _number(told: dict[str, Any], key: str) -> float | None:
    value = told.get(key)
    return finite(value) if isinstance(value, int | float) else None


def _troubled(found: Digest, problem: str) -> Digest:
    return replace(found, problem=f"{found.problem} {problem}".strip())
