"""Events in words: what a person reads in the terminal and in the window's log."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from engine.comparing.cells import (
    Cell,
    CellFinished,
    ComparisonEnded,
    ComparisonStarted,
)
from engine.events import (
    Amended,
    AmendmentRefused,
    Branched,
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
from engine.steering.events import (
    LatencyMeasured,
    LayerMeasured,
    LookEnded,
    LookStarted,
)
from engine.words.units import accuracy, clock, count, exact, many, number, percent

STAGES = {
    "dense": "Dense network",
    "pruned": "After the prune",
    "repaired": "After repair",
    "final": "Final network",
}
SLOW = 1.0  # seconds from which a finished phase is worth a line


def in_words(event: Event) -> tuple[str, ...]:
    """An event as lines for people; none for those that only feed pictures."""
    say = _SENTENCES.get(type(event))
    told = say(event) if say else ""
    lines = (told,) if isinstance(told, str) else told
    return tuple(line for line in lines if line)


def level(event: Event) -> str:
    """How serious it is: info, success, warning or error."""
    if isinstance(event, Noticed):
        return "warning" if event.level == "warning" else "info"
    if isinstance(event, AmendmentRefused):
        return "warning"
    failed = isinstance(event, CellFinished) and event.cell.error
    if failed or isinstance(event, RunFailed):
        return "error"
    return "success" if isinstance(event, RunFinished) else "info"


def _latency(event: LatencyMeasured) -> str:
    name = PurePath(event.folder).name
    if event.seconds is None:
        return f"{name} was not measured. {event.error}"
    batch = many(event.images, "image")
    return f"{name} takes {1000 * event.seconds:.3g} ms for a batch of {batch}"


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
    dense = "" if cell.dense is None else f" (dense {accuracy(cell.dense)})"
    return f"{final}{dense} in {clock(cell.seconds)}"


def _started(event: RunStarted) -> str:
    verb = "Resumed" if event.resumed else "Started"
    return f"{verb} in {event.folder} on {event.device}, seed {event.seed}"


def _model(event: ModelLoaded) -> str:
    return (
        f"Network {event.name}: {many(len(event.layers), 'layer')}, "
        f"{count(event.parameters)} parameters, {count(event.macs)} MACs"
    )


def _checkpoint(event: CheckpointLoaded) -> str:
    return (
        f"Checkpoint {event.file}: {event.matched} matched, "
        f"{len(event.renamed)} renamed, {len(event.missing)} missing, "
        f"{len(event.unexpected)} unexpected, {len(event.misshaped)} of another shape"
    )


def _data(event: DataLoaded) -> str:
    return (
        f"Data {event.name}: {exact(event.train)} training, "
        f"{exact(event.validation)} validation, {exact(event.test)} test images, "
        f"{many(len(event.classes), 'class', 'classes')}"
    )


def _planned(event: LevelsPlanned) -> str:
    if not event.sparsities:
        return "Planned no prune"
    of = "" if event.of == "weights" else f" of the {event.of}"
    return (
        f"Planned {many(len(event.sparsities), 'prune')} to "
        f"{percent(event.sparsities[-1])}{of} and "
        f"{many(event.total_epochs, 'epoch')} of fine-tuning"
    )


def _phase(event: PhaseFinished) -> str:
    if event.seconds < SLOW:
        return ""
    return f"{event.name.capitalize()} took {clock(event.seconds)}"


def _pruned(event: Pruned) -> str:
    text = (
        f"Prune {event.step} of {event.steps}: {percent(event.sparsity)} of the "
        f"prunable weights are zero ({exact(event.zeros)}), "
        f"{percent(event.sparsity_all)} of all"
    )
    if event.predicted is not None:
        text += f"; predicted loss increase {number(event.predicted)}"
    if event.predicted_joint is not None:
        text += f", jointly {number(event.predicted_joint)}"
    return text


def _fitted(event: Fitted) -> str:
    ratio, raised = damping_ratio(event.layers), raised_share(event.layers)
    if ratio is None:
        return "All gradients are zero; the damping is all there is"
    text = f"Damping is {number(ratio)} times the Fisher's mean diagonal"
    return f"{text}, raised in {percent(raised)} of the blocks" if raised else text


def _resampled(event: Resampled) -> str:
    weakest = min(event.layers, key=lambda each: each.mean)
    return (
        f"Masks of {many(event.draws, 'bootstrap sample')} overlap with this one by "
        f"{percent(mean_overlap(event.layers))}, least in {weakest.name} by "
        f"{percent(weakest.mean)}"
    )


def _checked(event: Checked) -> str:
    """Predictions stand in the line of the prune."""
    found = {"calibration": event.calibration, "held-out": event.held_out}
    told = [f"{number(v)} on {k} images" for k, v in found.items() if v is not None]
    return f"Prune {event.step} changed the loss by {', '.join(told)}"


def _evaluated(event: Evaluated) -> str:
    return (
        f"{STAGES.get(event.stage, event.stage)}: {event.split} accuracy "
        f"{accuracy(event.accuracy)}, loss {number(event.loss)}, "
        f"{percent(event.sparsity)} sparse"
    )


def _epoch(event: EpochFinished) -> str:
    return (
        f"Epoch {event.epoch} of {event.epochs}: training loss "
        f"{number(event.train_loss)}, validation loss {number(event.loss)}, accuracy "
        f"{accuracy(event.accuracy)}{' (best)' if event.best else ''}, "
        f"{exact(round(event.images_per_second))} images per second"
    )


def _finished(event: RunFinished) -> str:
    return (
        f"Done: {percent(event.sparsity)} sparse, accuracy "
        f"{accuracy(event.accuracy)} (dense {accuracy(event.accuracy_dense)})"
    )


def _failed(event: RunFailed) -> tuple[str, ...]:
    return event.message, event.hint, *(f"    {line}" for line in event.details)


def _comparing(event: ComparisonStarted) -> str:
    done = sum(cell.done for cell in event.cells)
    return (
        f"{many(len(event.cells), 'cell')} in {event.folder}: "
        f"{many(len(event.methods), 'method')}, "
        f"{many(len(event.sparsities), 'sparsity', 'sparsities')}, "
        f"{many(len(event.seeds), 'seed')}{f'; {done:,} done already' * bool(done)}"
    )


def _cell(event: CellFinished) -> str:
    which = f"Cell {event.number} of {event.total}: {cell_name(event.cell)}"
    return f"{which}: {outcome(event.cell)}"


def _compared(event: ComparisonEnded) -> str:
    verb = "Stopped" if event.stopped else "Done"
    failed = f", {event.failed} failed" if event.failed else ""
    return f"{verb}: {event.done} of {many(event.total, 'cell')}{failed}"


def _measured(event: LayerMeasured) -> str:
    return (
        f"{event.name} alone at {percent(event.sparsities[-1])}: loss "
        f"{number(event.losses[-1])} more, accuracy {accuracy(event.accuracies[-1])} "
        f"(uncut {accuracy(event.dense)})"
    )


_SENTENCES: dict[type[Event], Callable[[Any], str | tuple[str, ...]]] = {
    RunStarted: _started,
    ModelLoaded: _model,
    CheckpointLoaded: _checkpoint,
    DataLoaded: _data,
    LevelsPlanned: _planned,
    PhaseFinished: _phase,
    Pruned: _pruned,
    Branched: lambda event: f"Branched from node {event.node} of {event.parent}",
    Restored: lambda event: f"Went on at {percent(event.sparsity)} sparsity",
    Fitted: _fitted,
    Resampled: _resampled,
    Checked: _checked,
    Evaluated: _evaluated,
    EpochFinished: _epoch,
    Noticed: lambda event: f"{event.message} {event.hint}".rstrip(),
    Saved: lambda event: f"Saved {event.path}",
    Amended: lambda event: f"Changed from here on: {event.words}",
    AmendmentRefused: lambda event: f"Not changed. {event.message} {event.hint}",
    RunPaused: lambda event: "Paused",
    RunResumed: lambda event: "Resumed",
    RunFinished: _finished,
    RunStopped: lambda event: event.message,
    RunFailed: _failed,
    ComparisonStarted: _comparing,
    CellFinished: _cell,
    ComparisonEnded: _compared,
    LookStarted: lambda event: f"{event.title} on {event.device}; nothing is pruned",
    LookEnded: lambda event: event.message,
    LayerMeasured: _measured,
    LatencyMeasured: lambda event: _latency(event),
}
