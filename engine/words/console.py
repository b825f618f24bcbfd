"""A run in the terminal: one line per event that matters, a progress bar beneath."""

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, redirect_stdout
from datetime import timedelta
from types import TracebackType

from rich.console import Console as Terminal
from rich.console import Group
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from engine.events import (
    Event,
    ModelLoaded,
    NodeKept,
    Noticed,
    Progressed,
    RunFailed,
)
from engine.planning.plan import Plan
from engine.records import codec
from engine.words.events import in_words, level
from engine.words.nodes import moment
from engine.words.plan import described, phases
from engine.words.units import accuracy, exact, percent

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
        elif not isinstance(event, RunFailed):  # whoever catches the error tells it
            self.tell(event, in_words(event))

    def tell(self, event: Event, words: Iterable[str]) -> None:
        """Print an event's lines, with its time."""
        notes = {"info": "Note: ", "warning": "Warning: "}
        note = notes[level(event)] if isinstance(event, Noticed) else ""
        for line in words:
            self.terminal.print(f"{event.time:8.1f} s  {note}{line}", markup=False)


def time_left(seconds: float) -> str:
    """`0:12:30 left`; empty while unknown (negative)."""
    return "" if seconds < 0 else f"{timedelta(seconds=round(seconds))} left"


def layer_table(console: Console) -> Callable[[Event], None]:
    """Like `console.say`, but a network comes as a table of its layers."""

    def say(event: Event) -> None:
        console.say(event)
        if isinstance(event, ModelLoaded) and not console.jsonl:
            console.terminal.print(_layers(event))

    return say


def plan_report(plan: Plan) -> Group:
    """Everything that a plan says, for people."""
    right = (Column(title, justify="right") for title in ("Memory", "Time"))
    costs = Table("Phase", *right)
    for row in phases(plan):
        costs.add_row(*row)
    facts = [Text(f"{title:<12}{words}") for title, words in described(plan)]
    return Group(*facts, costs, *map(Text, plan.reasons))


def node_table(nodes: Iterable[NodeKept]) -> Table:
    """The moments that a run has kept."""
    right = (Column(title, justify="right") for title in ("Sparse", "Accuracy", "Size"))
    table = Table("Node", "After", *right)
    for node in nodes:
        known = node.accuracy is not None
        told = f"{accuracy(node.accuracy)} ({node.split})" if known else "not measured"
        size = f"{exact(round(node.size / 1024))} KiB"
        sparsity = percent(node.sparsity)
        table.add_row(str(node.node), moment(node), sparsity, told, size)
    return table


def _layers(event: ModelLoaded) -> Table:
    table = Table("Layer", "Type", "Shape", "Weights", "MACs", "Zeros", "Status")
    for layer in event.layers:
        status = f"{layer.status}: {layer.reason}" if layer.reason else layer.status
        shape = "x".join(map(str, layer.shape))
        counts = (f"{n:,}" for n in (layer.weights, layer.macs, layer.zeros))
        table.add_row(layer.name, layer.kind, shape, *counts, status)
    return table
