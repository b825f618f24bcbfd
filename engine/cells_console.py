"""A comparison in the terminal: a line per cell, two progress bars beneath."""

from engine.cells import (
    Cell,
    CellFinished,
    CellStarted,
    ComparisonEnded,
    ComparisonStarted,
)
from engine.console import Console, time_left
from engine.events import Event, Noticed, Progressed


class CellsConsole(Console):
    """Says which cell of how many is filled and how long all of them will take.

    Of the runs inside, only progress and new warnings are told.
    """

    def __init__(self, jsonl: bool) -> None:
        super().__init__(jsonl)
        self._cells = self._bar.add_task("", total=None, visible=False, left="")
        self._warned: set[str] = set()

    def say(self, event: Event) -> None:
        """Tell one event."""
        if self.jsonl or isinstance(event, Progressed):
            super().say(event)
            return
        if isinstance(event, CellStarted):
            self._bar.update(
                self._cells,
                description=_place(event),
                completed=event.number - 1,
                total=event.total,
                visible=True,
                left=time_left(event.seconds_left),
            )
        words = self._words(event)
        if words:
            self.terminal.print(f"{event.time:8.1f} s  {words}", markup=False)

    def _words(self, event: Event) -> str:
        match event:
            case Noticed(level="warning") if event.message not in self._warned:
                self._warned.add(event.message)
                return f"Warning: {event.message} {event.hint}".rstrip()
            case ComparisonStarted():
                done = sum(cell.done for cell in event.cells)
                known = f", {done:,} done already" if done else ""
                return (
                    f"{len(event.cells):,} cells in {event.folder}: "
                    f"{len(event.methods)} methods x {len(event.sparsities)} "
                    f"sparsities x {len(event.seeds)} seeds{known}"
                )
            case CellFinished():
                left = time_left(event.seconds_left)
                more = f", {left}" if left and not event.cell.error else ""
                return f"{_place(event)}: {_outcome(event.cell)}{more}"
            case ComparisonEnded():
                failed = f", {event.failed} failed" if event.failed else ""
                verb = "Stopped" if event.stopped else "Done"
                more = ". The same command goes on" if event.stopped else ""
                return f"{verb}: {event.done} of {event.total} cells{failed}{more}."
        return ""


def _place(event: CellStarted | CellFinished) -> str:
    cell = event.cell
    which = f"{cell.method} at {100 * cell.sparsity:g} %, seed {cell.seed}"
    return f"Cell {event.number} of {event.total}: {which}"


def _outcome(cell: Cell) -> str:
    if cell.error:
        return f"failed. {cell.error}"
    final, dense = (
        "no accuracy" if value is None else f"{value:.2f} %"
        for value in (cell.final, cell.dense)
    )
    return f"{final} ({dense} dense), {cell.seconds:.1f} s"
