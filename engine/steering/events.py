"""What a look at a network (scoring, measuring) says beside the usual events."""

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True)
class LookStarted(Event):
    """A look begins, such as "Scoring"; nothing will change and nothing is written."""

    title: str
    device: str


@dataclass(frozen=True)
class LookEnded(Event):
    """The last event of every look; `message` says how it went."""

    message: str


LOOK_EVENTS: tuple[type[Event], ...] = (LookStarted, LookEnded)
