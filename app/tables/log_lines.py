"""Log lines: each event of a run in plain words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.tables.units import accuracy, clock, count, exact, number, percent
from engine.cells import Cell, CellFinished, ComparisonEnded, ComparisonStarted
from engine.events import (
    Checked,
    CheckpointLoaded,
    DataLoaded,
    EpochFinished,
    Evaluated,
    Event,
    Fitted,
    LevelsPlanned,
    ModelLoaded,
    Noticed,
    PhaseFinished,
    Pruned,
    Resampled,
    Restored,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    Saved,
)
from engine.facts import damping_ratio, mean_overlap, raised_share

STAGES = {
    "dense": "Dense network",
    "before": "Before the prune",
    "pruned": "After the prune",
    "repaired": "After repair",
    "epoch": "After the epoch",
    "final": "Final network",
}
SLOW = 1.0  # seconds from which a finished phase is worth a line


@dataclass(frozen=True)
class Line:
    """One line; `level` is info, success, warning or error, also a palette colour."""

    time: float
    text: str
    level: str = "info"

    @property
    def full(self) -> str:
        """As it is shown and copied."""
        return f"{clock(self.time):>7}  {self.text}"


def lines(event: Event) -> Iterator[Line]:
    """What the log says about an event; nothing for those that only drive plots."""
    say = _SENTENCES.get(type(event))
    for text in say(event) if say else ():
        level = _level(event)
        yield Line(event.time, text, level)


def _level(event: Event) -> str:
    if isinstance(event, Noticed):
        return "warning" if event.level == "warning" else "info"
    failed = isinstance(event, CellFinished) and event.cell.error
    if failed or isinstance(event, RunFailed):
        return "error"
    return "success" if isinstance(event, RunFinished) else "info"


def _started(event: RunStarted) -> list[str]:
    verb = "Resumed" if event.resumed else "Started"
    return [f"{verb} in {event.folder} on {event.device}, seed {event.seed}"]


def _model(event: ModelLoaded) -> list[str]:
    return [
        f"Network {event.name}: {len(event.layers)} layers, "
        f"{count(event.parameters)} parameters, {count(event.macs)} MACs"
    ]


def _checkpoint(event: CheckpointLoaded) -> list[str]:
    return [
        f"Checkpoint {event.file}: {event.matched} matched, "
        f"{len(event.renamed)} renamed, {len(event.missing)} missing, "
        f"{len(event.unexpected)} unexpected, {len(event.misshaped)} of another shape"
    ]


def _data(event: DataLoaded) -> list[str]:
    return [
        f"Data {event.name}: {exact(event.train)} training, "
        f"{exact(event.validation)} validation, {exact(event.test)} test images, "
        f"{len(event.classes)} classes"
    ]


def _planned(event: LevelsPlanned) -> list[str]:
    prunes = len(event.sparsities)
    if not prunes:
        return ["Planned no prune"]
    other = event.of != "weights"
    return [
        f"Planned {prunes} {'prune' if prunes == 1 else 'prunes'} to "
        f"{percent(event.sparsities[-1])}{' of the ' * other}{event.of * other} and "
        f"{event.total_epochs} epochs of fine-tuning"
    ]


def _phase(event: PhaseFinished) -> list[str]:
    if event.seconds < SLOW:
        return []
    return [f"{event.name.capitalize()} took {clock(event.seconds)}"]


def _pruned(event: Pruned) -> list[str]:
    text = (
        f"Pruned {event.step} of {event.steps}: {percent(event.sparsity)} sparse, "
        f"{exact(event.zeros)} zeros"
    )
    if event.predicted is not None:
        text += f", predicted loss increase {number(event.predicted)}"
    if event.predicted_joint is not None:
        text += f" (jointly {number(event.predicted_joint)})"
    return [text]


def _fitted(event: Fitted) -> list[str]:
    ratio, raised = damping_ratio(event.layers), raised_share(event.layers)
    if ratio is None:
        return ["All gradients are zero; the damping is all there is"]
    text = f"Damping is {number(ratio)} times the Fisher's mean diagonal"
    return [f"{text}, raised in {percent(raised)} of the blocks" if raised else text]


def _resampled(event: Resampled) -> list[str]:
    weakest = min(event.layers, key=lambda each: each.mean)
    return [
        f"Masks of {event.draws} bootstrap samples overlap by "
        f"{percent(mean_overlap(event.layers))}, least in {weakest.name} by "
        f"{percent(weakest.mean)}"
    ]


def _checked(event: Checked) -> list[str]:
    text = f"Measured loss change {number(event.calibration)} on calibration images"
    if event.held_out is not None:
        text += f", {number(event.held_out)} on held-out ones"
    return [text]


def _evaluated(event: Evaluated) -> list[str]:
    return [
        f"{STAGES.get(event.stage, event.stage)}: {event.split} accuracy "
        f"{accuracy(event.accuracy)}, loss {number(event.loss)}, "
        f"{percent(event.sparsity)} sparse"
    ]


def _epoch(event: EpochFinished) -> list[str]:
    return [
        f"Epoch {event.epoch} of {event.epochs}: training loss "
        f"{number(event.train_loss)}, validation loss {number(event.loss)}, accuracy "
        f"{accuracy(event.accuracy)}{' (best)' if event.best else ''}, "
        f"{exact(round(event.images_per_second))} images per second"
    ]


def _noticed(event: Noticed) -> list[str]:
    return [f"{event.message} {event.hint}".strip()]


def _finished(event: RunFinished) -> list[str]:
    return [
        f"Finished: {percent(event.sparsity)} sparse, accuracy "
        f"{accuracy(event.accuracy)} (dense {accuracy(event.accuracy_dense)})"
    ]


def _failed(event: RunFailed) -> list[str]:
    return [event.message, event.hint, *(f"    {line}" for line in event.details)]


def _comparing(event: ComparisonStarted) -> list[str]:
    done = sum(cell.done for cell in event.cells)
    return [
        f"{len(event.cells)} cells in {event.folder}, {done} done: "
        f"{len(event.methods)} methods, {len(event.sparsities)} sparsities, "
        f"{len(event.seeds)} seeds"
    ]


def _cell(event: CellFinished) -> list[str]:
    cell = event.cell
    return [f"Cell {event.number} of {event.total}: {cell_name(cell)}: {outcome(cell)}"]


def cell_name(cell: Cell) -> str:
    """`WoodFisher at 90.0 %, seed 0`."""
    return f"{cell.method} at {percent(cell.sparsity)}, seed {cell.seed}"


def outcome(cell: Cell) -> str:
    """What a cell gave, or why it gave nothing."""
    if cell.error:
        return f"failed. {cell.error}"
    if not cell.done:
        return "not done"
    final = "unknown" if cell.final is None else accuracy(cell.final)
    return f"{final} in {clock(cell.seconds)}"


def _compared(event: ComparisonEnded) -> list[str]:
    verb = "Stopped" if event.stopped else "Finished"
    return [f"{verb}: {event.done} of {event.total} cells, {event.failed} failed"]


_SENTENCES: dict[type[Event], Callable[[Any], list[str]]] = {
    RunStarted: _started,
    ModelLoaded: _model,
    CheckpointLoaded: _checkpoint,
    DataLoaded: _data,
    LevelsPlanned: _planned,
    PhaseFinished: _phase,
    Pruned: _pruned,
    Restored: lambda event: [f"Went on at {percent(event.sparsity)} sparse"],
    Fitted: _fitted,
    Resampled: _resampled,
    Checked: _checked,
    Evaluated: _evaluated,
    EpochFinished: _epoch,
    Noticed: _noticed,
    Saved: lambda event: [f"Saved {event.path}"],
    RunPaused: lambda event: ["Paused"],
    RunResumed: lambda event: ["Resumed"],
    RunFinished: _finished,
    RunStopped: lambda event: [event.message],
    RunFailed: _failed,
    ComparisonStarted: _comparing,
    CellFinished: _cell,
    ComparisonEnded: _compared,
}
