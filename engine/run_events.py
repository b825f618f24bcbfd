"""What a run says of itself: its start, files, notices, pauses and end."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Anything a run says; `time` is seconds of work since it began."""

    time: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class RunStarted(Event):
    """The first event of every run."""

    folder: str
    device: str
    seed: int
    resumed: bool = False


@dataclass(frozen=True)
class Saved(Event):
    """A file of the run folder appeared, whole."""

    path: str


@dataclass(frozen=True)
class NodeKept(Event):
    """A moment was kept, to look at again or to branch from.

    Attributes:
        node: Its number in the run, from 0.
        kind: dense, prune, repair, epoch or end.
        step: Prunes done, sub-steps counted.
        epoch: Epochs of fine-tuning done.
        sparsity: Of the prunable weights.
        accuracy, loss: As measured last of this network; None where it was not.
        split: That it was measured on.
        size: Bytes that keeping it took, what it shares with others left out.
        state: SHA-256 of what was kept; the same in a run and its branches.
    """

    node: int
    kind: str
    step: int
    epoch: int
    sparsity: float
    accuracy: float | None
    loss: float | None
    split: str
    size: int
    state: str


@dataclass(frozen=True)
class Branched(Event):
    """The run goes on from a node of another run, with settings of its own."""

    parent: str
    node: int


@dataclass(frozen=True)
class Noticed(Event):
    """Something decided or found on the person's behalf; `level` is info or warning."""

    level: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Amended(Event):
    """The rest of the run goes on by a changed recipe.

    Attributes:
        epoch, prunes, halvings: Where; see `engine.amendment.Amendment`.
        changes: Dotted keys and their new values.
        words: The changes as people read them.
    """

    epoch: int
    prunes: int
    halvings: int
    changes: tuple[tuple[str, int | float], ...]
    words: str


@dataclass(frozen=True)
class AmendmentRefused(Event):
    """A change that was asked for does not fit what is done; nothing was changed."""

    message: str
    hint: str


@dataclass(frozen=True)
class RunPaused(Event):
    """The run holds."""


@dataclass(frozen=True)
class RunResumed(Event):
    """The run goes on after a pause."""


@dataclass(frozen=True)
class RunFinished(Event):
    """Last event of a run that reached its end."""

    sparsity: float
    accuracy_dense: float
    accuracy: float


@dataclass(frozen=True)
class RunStopped(Event):
    """Last event of a run that was asked to stop; it can be resumed."""

    message: str = "Stopped. Everything up to here is saved and can be resumed."


@dataclass(frozen=True)
class RunFailed(Event):
    """Last event of a run that could not go on."""

    message: str
    hint: str
    details: tuple[str, ...] = ()
