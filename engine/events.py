"""What a run says: small frozen events of numbers, strings and tuples.

Each event is one line of `events.jsonl`; replaying the lines shows the run again.
Losses are means per image, accuracies percent, sparsities fractions, durations seconds,
memory bytes. `epoch` counts fine-tuning epochs and may be fractional.
"""

from dataclasses import dataclass

from engine.facts import (
    Histogram,
    LayerCurvature,
    LayerInfo,
    LayerPromise,
    LayerStability,
    LayerState,
    LayerTrace,
)
from engine.run_events import (
    Amended,
    AmendmentRefused,
    Branched,
    Event,
    NodeKept,
    Noticed,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    Saved,
)


@dataclass(frozen=True)
class ModelLoaded(Event):
    """The network is built; `macs` and `parameters` are totals."""

    name: str
    layers: tuple[LayerInfo, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class CheckpointLoaded(Event):
    """How a checkpoint's keys met the network's; every list is complete."""

    file: str
    matched: int
    renamed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshaped: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataLoaded(Event):
    """Images per split, class names, and the shape of one input."""

    name: str
    train: int
    validation: int
    test: int
    classes: tuple[str, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class LevelsPlanned(Event):
    """When each prune is due and how much `of` what will be gone (hollow)."""

    epochs: tuple[float, ...]
    sparsities: tuple[float, ...]
    total_epochs: int
    of: str = "weights"


@dataclass(frozen=True)
class PhaseStarted(Event):
    """load, gradients, curvature, selection, repair, finetune or evaluate."""

    name: str


@dataclass(frozen=True)
class PhaseFinished(Event):
    """The phase and how long it took this time."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Progressed(Event):
    """Progress inside a phase; `seconds_left` is negative while unknown."""

    label: str
    done: int
    total: int
    seconds_left: float
    memory: int


@dataclass(frozen=True)
class Fitted(Event):
    """What the curvature of a prune step rests on, where a block Fisher gives it."""

    step: int
    layers: tuple[LayerCurvature, ...]


@dataclass(frozen=True)
class Traced(Event):
    """The Hessian's traces that the coming prune step ranks by; a notice sums up."""

    layers: tuple[LayerTrace, ...]


@dataclass(frozen=True)
class Resampled(Event):
    """How stable the masks of a prune step are under bootstrap samples."""

    step: int
    draws: int
    layers: tuple[LayerStability, ...]


@dataclass(frozen=True)
class Scored(Event):
    """Saliencies of every prunable layer and the cut, before weights are removed."""

    step: int
    layers: tuple[Histogram, ...]


@dataclass(frozen=True)
class Pruned(Event):
    """Weights were removed.

    Attributes:
        step, steps: Which prune of how many (sub-steps counted), from 1.
        sparsity: Of the prunable weights.
        sparsity_all: Of all parameters.
        predicted: Loss increase as the sum of single saliencies; None if unknown.
        predicted_joint: The same for the exact joint removal per block.
        final: Whether the target is reached now.
        promises: Both by layer, where the method tells layers apart.
    """

    step: int
    steps: int
    epoch: float
    sparsity: float
    sparsity_all: float
    zeros: int
    layers: tuple[LayerState, ...]
    predicted: float | None = None
    predicted_joint: float | None = None
    final: bool = False
    promises: tuple[LayerPromise, ...] = ()


@dataclass(frozen=True)
class Restored(Event):
    """A resumed run has its network as it was left."""

    sparsity: float
    layers: tuple[LayerState, ...]


@dataclass(frozen=True)
class Checked(Event):
    """The loss change of a prune step as promised and as measured, before any repair.

    Attributes:
        step: Which prune, from 1.
        predicted: As the sum of single saliencies; None if unknown.
        predicted_joint: For the exact joint removal per block.
        calibration: Measured on calibration images.
        held_out: Measured on validation images; None without any.
        calibration_error, held_out_error: Standard errors of the two, from how much the
            images differ in their change; None where unknown.
    """

    step: int
    predicted: float | None
    predicted_joint: float | None
    calibration: float | None
    held_out: float | None
    calibration_error: float | None = None
    held_out_error: float | None = None


@dataclass(frozen=True)
class Halved(Event):
    """A prune step was undone, as its loss change was not as promised.

    Attributes:
        step: Which prune it would have been, from 1; its first half has the number now.
        start, middle, end: What would be gone, as the allocation counts it.
        predicted, predicted_joint, calibration, calibration_error: See `Checked`.
        depth: How often the planned step was halved by now.
    """

    step: int
    start: float
    middle: float
    end: float
    predicted: float | None
    predicted_joint: float | None
    calibration: float
    calibration_error: float | None
    depth: int


@dataclass(frozen=True)
class Evaluated(Event):
    """A measurement.

    `stage` is dense, pruned, repaired or final; `split` is test or validation.
    """

    stage: str
    split: str
    epoch: float
    loss: float
    accuracy: float
    sparsity: float


@dataclass(frozen=True)
class Trained(Event):
    """Fine-tuning goes on: mean loss since the last such event, learning rate now."""

    epoch: float
    loss: float
    learning_rate: float


@dataclass(frozen=True)
class EpochFinished(Event):
    """One epoch of fine-tuning; `best` marks the best validation accuracy so far."""

    epoch: int
    epochs: int
    train_loss: float
    loss: float
    accuracy: float
    images_per_second: float
    best: bool


EVENTS: tuple[type[Event], ...] = (
    RunStarted,
    ModelLoaded,
    CheckpointLoaded,
    DataLoaded,
    LevelsPlanned,
    PhaseStarted,
    PhaseFinished,
    Progressed,
    Fitted,
    Traced,
    Resampled,
    Scored,
    Pruned,
    Restored,
    Checked,
    Halved,
    Evaluated,
    Trained,
    EpochFinished,
    NodeKept,
    Branched,
    Saved,
    Noticed,
    Amended,
    AmendmentRefused,
    RunPaused,
    RunResumed,
    RunFinished,
    RunStopped,
    RunFailed,
)
LAST: tuple[type[Event], ...] = (RunFinished, RunStopped, RunFailed)
