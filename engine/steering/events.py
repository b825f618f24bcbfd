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


@dataclass(frozen=True)
class LayerMeasured(Event):
    """What a mini-batch gives with one layer cut and all others as they were scored.

    Attributes:
        name: Of the layer.
        units: How many of its lowest units were gone, rising (cuts,).
        sparsities: Of the layer then.
        losses: Increase of the mean loss per image, for each cut.
        errors: Standard errors of these, from how much the images differ.
        accuracies: In percent.
        dense: Accuracy without the cut.
        images: Of the mini-batch; `split` says where they come from.
    """

    name: str
    units: tuple[int, ...]
    sparsities: tuple[float, ...]
    losses: tuple[float, ...]
    errors: tuple[float, ...]
    accuracies: tuple[float, ...]
    dense: float
    images: int
    split: str


@dataclass(frozen=True)
class LatencyMeasured(Event):
    """How long a batch takes through the network of a run, as torch runs it here.

    Attributes:
        folder: Of the run.
        images: Of the batch.
        device: On which.
        seconds: The median of all passes; None where it could not be measured.
        low, high: Quartiles.
        passes: How many.
        error: Why it could not be measured; empty otherwise.
    """

    folder: str
    images: int
    device: str
    seconds: float | None = None
    low: float | None = None
    high: float | None = None
    passes: int = 0
    error: str = ""


LOOK_EVENTS: tuple[type[Event], ...] = (
    LookStarted,
    LookEnded,
    LayerMeasured,
    LatencyMeasured,
)
