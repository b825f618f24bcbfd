"""A run in the terminal: one line per event that matters, a progress bar beneath."""

import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from datetime import timedelta
from types import TracebackType

from rich.console import Console as Terminal
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from engine import codec, events
from engine.events import Event, ModelLoaded, Progressed
from engine.facts import damping_ratio, mean_overlap, raised_share
from engine.part import Part, settings, title_of
from engine.recipe import Recipe

WIDTH = 160  # columns where there is no terminal to ask


class Console:
    """Says events: as JSON lines on standard output, or in words with a progress bar.

    Args:
        jsonl: Machine-readable output.
    """

    def __init__(self, jsonl: bool) -> None:
        self.jsonl = jsonl
        self._lines = sys.stdout
        self._redirected = ExitStack()
        width = None if sys.stdout.isatty() else WIDTH
        self.terminal = Terminal(highlight=False, soft_wrap=True, width=width)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[left]}"),
            console=self.terminal,
            transient=True,
            disable=jsonl or not self.terminal.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False, left="")

    def __enter__(self) -> "Console":
        if self.jsonl:  # what a network's own code prints is no event
            self._redirected.enter_context(redirect_stdout(sys.stderr))
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        self._redirected.close()

    def say(self, event: Event) -> None:
        """Tell one event."""
        if self.jsonl:
            self._lines.write(codec.to_json(event) + "\n")
            self._lines.flush()
        elif isinstance(event, Progressed):
            self._bar.update(
                self._task,
                description=event.label,
                completed=event.done,
                total=event.total,
                visible=event.done < event.total,
                left=time_left(event.seconds_left),
            )
        else:
            words = in_words(event)
            if words:
                self.terminal.print(f"{event.time:8.1f} s  {words}", markup=False)


def time_left(seconds: float) -> str:
    """`0:12:30 left`; empty while unknown (negative)."""
    return "" if seconds < 0 else f"{timedelta(seconds=round(seconds))} left"


def in_words(event: Event) -> str:
    """An event as one line for people; empty for those that only feed pictures."""
    match event:
        case events.RunStarted():
            verb = "Resuming" if event.resumed else "Starting"
            return f"{verb} in {event.folder} on {event.device}, seed {event.seed}"
        case events.DataLoaded():
            return (
                f"{event.name}: {event.train:,} training, {event.validation:,} "
                f"validation, {event.test:,} test images, {len(event.classes)} classes"
            )
        case events.ModelLoaded():
            return (
                f"{event.name}: {event.parameters:,} parameters, "
                f"{event.macs:,} MACs per image"
            )
        case events.CheckpointLoaded():
            return (
                f"{event.file}: {event.matched} tensors matched, "
                f"{len(event.renamed)} renamed, {len(event.missing)} missing, "
                f"{len(event.unexpected)} unexpected"
            )
        case events.Evaluated():
            return (
                f"{event.stage.capitalize()} on {event.split}: {event.accuracy:.2f} %, "
                f"loss {event.loss:.4f}, sparsity {event.sparsity:.2%}"
            )
        case events.Pruned():
            return (
                f"Prune {event.step} of {event.steps}: {event.sparsity:.2%} of the "
                f"prunable weights ({event.zeros:,}), {event.sparsity_all:.2%} of all"
            )
        case events.Restored():
            return f"Went on at {event.sparsity:.2%} sparsity"
        case events.Fitted():
            return _fitted(event)
        case events.Resampled():
            return (
                f"Masks of {event.draws} bootstrap samples overlap with this one by "
                f"{mean_overlap(event.layers):.1%}"
            )
        case events.Checked():
            return _promise(event)
        case events.EpochFinished():
            return (
                f"Epoch {event.epoch} of {event.epochs}: validation "
                f"{event.accuracy:.2f} %, loss {event.loss:.4f}, "
                f"{event.images_per_second:,.0f} images/s{', best' * event.best}"
            )
        case events.Noticed():
            note = "Note" if event.level == "info" else "Warning"
            return f"{note}: {event.message} {event.hint}".rstrip()
        case events.Saved():
            return f"Saved {event.path}"
        case events.RunFinished():
            return (
                f"Done: {event.accuracy_dense:.2f} % dense, {event.accuracy:.2f} % at "
                f"{event.sparsity:.2%} sparsity"
            )
        case events.RunStopped():
            return event.message
        case _:
            return ""


def _fitted(event: events.Fitted) -> str:
    """What the curvature rests on, in words."""
    ratio, raised = damping_ratio(event.layers), raised_share(event.layers)
    if ratio is None:
        return "All gradients are zero; the damping is all there is"
    text = f"Damping is {ratio:.2g} times the Fisher's mean diagonal"
    return f"{text}, raised in {raised:.1%} of the blocks" if raised else text


def _promise(event: events.Checked) -> str:
    """Predicted and measured loss change in words."""
    text = f"Prune {event.step} changed the loss by {event.calibration:+.4f} on "
    text += "calibration images"
    if event.held_out is not None:
        text += f", {event.held_out:+.4f} on held-out ones"
    if event.predicted is not None:
        text += f"; predicted {event.predicted:+.4f}"
    if event.predicted_joint is not None:
        text += f", jointly {event.predicted_joint:+.4f}"
    return text


def layer_table(console: Console) -> Callable[[Event], None]:
    """Like `console.say`, but a network comes as a table of its layers."""

    def say(event: Event) -> None:
        console.say(event)
        if isinstance(event, ModelLoaded) and not console.jsonl:
            console.terminal.print(_layers(event))

    return say


def settings_list() -> str:
    """Every setting as `group.name = default`, its kinds and its help."""
    lines = []
    for group in settings(Recipe):
        for part in group.choices:
            named = "kind" in part.model_fields
            kind = f".kind={part.model_fields['kind'].default}" if named else ""
            lines.append(f"\n{group.name}{kind}  {title_of(part)}")
            lines += [f"  {line}" for line in _part_lines(group.name, part)]
    return "\n".join(lines).lstrip() + "\n"


def _part_lines(group: str, part: type[Part]) -> list[str]:
    lines = []
    for setting in settings(part):
        choices = (
            f" ({', '.join(map(str, setting.choices))})"
            if setting.type == "choice"
            else ""
        )
        lines.append(f"{group}.{setting.name} = {setting.default!r}{choices}")
        lines.append(f"    {setting.help}")
    return lines


def _layers(event: ModelLoaded) -> Table:
    table = Table("Layer", "Type", "Shape", "Weights", "MACs", "Zeros", "Status")
    for layer in event.layers:
        status = f"{layer.status}: {layer.reason}" if layer.reason else layer.status
        shape = "x".join(map(str, layer.shape))
        counts = (f"{n:,}" for n in (layer.weights, layer.macs, layer.zeros))
        table.add_row(layer.name, layer.kind, shape, *counts, status)
    return table
