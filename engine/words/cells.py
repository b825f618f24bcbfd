"""A comparison in the terminal: a line per cell, two progress bars beneath."""

from engine.comparing.cells import (
    CellFinished,
    CellStarted,
    ComparisonEnded,
    ComparisonStarted,
)
from engine.events import Event, Noticed, Progressed
from engine.words.console import Console, time_left
from engine.words.events import cell_name, in_words


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
        self.tell(event, self._words(event))

    def _words(self, event: Event) -> tuple[str, ...]:
        match event:
            case Noticed(level="warning") if event.message not in self._warned:
                self._warned.add(event.message)
            case CellFinished() if not event.cell.error:
                (words,) = in_words(event)
                return (
                    ", ".join(filter(None, (words, time_left(event.seconds_left)))),
                )
            case ComparisonEnded() if event.stopped:
                (words,) = in_words(event)
                return (f"{words}. The same command goes on.",)
            case ComparisonStarted() | CellFinished() | ComparisonEnded():
                pass
            case _:
                return ()
        return in_words(event)


def _place(event: CellStarted) -> str:
    return f"Cell {event.number} of {event.total}: {cell_name(event.cell)}"
