"""Log lines: an event's words with its time and how serious it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.events import Event
from engine.words.events import in_words, level
from engine.words.units import clock


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
    for text in in_words(event):
        yield Line(event.time, text, level(event))
