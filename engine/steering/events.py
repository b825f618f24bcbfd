"""What scoring a network without pruning says beside the usual events."""

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True)
class ScoringStarted(Event):
    """A network is about to be scored; nothing will change."""

    device: str


@dataclass(frozen=True)
class ScoringEnded(Event):
    """The last event of every scoring; `message` says how it went."""

    message: str


SCORING_EVENTS: tuple[type[Event], ...] = (ScoringStarted, ScoringEnded)
