"""Record: what the curves of one run are made of, gathered from its events."""

from collections.abc import Iterable, Iterator

from app.records.series import Series
from engine.events import (
    EpochFinished,
    Evaluated,
    Event,
    LevelsPlanned,
    Pruned,
    RunStarted,
    Trained,
)

COLUMNS = (
    "series", "stage", "epoch", "seconds",
    "loss", "accuracy", "sparsity", "learning_rate",
)  # fmt: skip


class Record:
    """Series over `epoch` and `seconds`; `add` events in the order they were sent.

    A resumed run repeats what came after its checkpoint; the repeated part replaces
    the old one.
    """

    def __init__(self) -> None:
        self.training = Series("epoch", "seconds", "loss", "learning_rate")
        self.validation = Series("epoch", "seconds", "loss", "accuracy")
        self.test = Series("epoch", "seconds", "loss", "accuracy")
        self.sparsity = Series("epoch", "seconds", "sparsity")
        self.stages: list[str] = []  # of the rows of `test`
        self.planned: tuple[tuple[float, float], ...] = ()
        self.total_epochs: int | None = None
        self.dense: float | None = None  # accuracy in percent
        self.start: float | None = None  # sparsity in percent before the first prune
        self._trained: list[tuple[float, ...]] = []
        self._last = {"epoch": 0.0, "seconds": 0.0}
        self._resuming = False

    def add(self, events: Iterable[Event]) -> None:
        """Take events in; those that draw nothing are passed over."""
        for event in events:
            if isinstance(event, Trained):
                self._resume_at(event.epoch, event.time)
                self._trained.append(
                    (event.epoch, event.time, event.loss, event.learning_rate)
                )
            elif isinstance(event, EpochFinished):
                self._resume_at(event.epoch, event.time)
                self.validation.extend(
                    [(event.epoch, event.time, event.loss, event.accuracy)]
                )
            elif isinstance(event, Evaluated):
                self._evaluate(event)
            elif isinstance(event, Pruned):
                self._resume_at(event.epoch, event.time)
                self.sparsity.extend([(event.epoch, event.time, 100 * event.sparsity)])
            elif isinstance(event, LevelsPlanned):
                levels = zip(event.epochs, event.sparsities, strict=True)
                if event.of == "weights":  # else sparsity is not known before
                    self.planned = tuple((e, 100 * level) for e, level in levels)
                self.total_epochs = event.total_epochs
            elif isinstance(event, RunStarted) and event.resumed:
                self._flush()
                self._resuming = True
        self._flush()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        parts = (self.training, self.validation, self.test, self.sparsity)
        return not self.planned and not any(len(part) for part in parts)

    def last(self, x: str) -> float:
        """The largest epoch or second seen."""
        return self._last[x]

    def prunes(self, x: str) -> list[tuple[float, float]]:
        """(x, sparsity in percent) of the last prune at each x."""
        xs, levels = self.sparsity.column(x), self.sparsity.column("sparsity")
        return list(dict(zip(xs.tolist(), levels.tolist(), strict=True)).items())

    def rows(self) -> Iterator[tuple]:
        """Every point under `COLUMNS`; what a series lacks is an empty string."""
        for epoch, seconds, loss, rate in self.training.rows():
            yield "training", "", epoch, seconds, loss, "", "", rate
        for epoch, seconds, loss, accuracy in self.validation.rows():
            yield "validation", "", epoch, seconds, loss, accuracy, "", ""
        for stage, row in zip(self.stages, self.test.rows(), strict=True):
            epoch, seconds, loss, accuracy = row
            yield "test", stage, epoch, seconds, loss, accuracy, "", ""
        for epoch, seconds, sparsity in self.sparsity.rows():
            yield "sparsity", "", epoch, seconds, "", "", sparsity, ""
        for epoch, sparsity in self.planned:
            yield "planned", "", epoch, "", "", "", sparsity, ""

    def _evaluate(self, event: Evaluated) -> None:
        if event.stage == "dense":
            if event.split == "test" or self.dense is None:
                self.dense, self.start = event.accuracy, 100 * event.sparsity
            known = event.split != "test" or "dense" in self.stages
            if self._resuming and known:
                return  # measured again
        self._resume_at(event.epoch, event.time)
        row = (event.epoch, event.time, event.loss, event.accuracy)
        if event.split == "test":
            self.test.extend([row])
            self.stages.append(event.stage)
        elif event.split == "validation" and event.stage != "epoch":
            self.validation.extend([row])  # EpochFinished brings those of the epochs

    def _resume_at(self, epoch: float, seconds: float) -> None:
        if self._resuming:
            self._flush()
            for part in (self.training, self.validation, self.test, self.sparsity):
                part.cut("epoch", epoch)
                part.cut("seconds", seconds)
            del self.stages[len(self.test) :]
            self._last = {"epoch": 0.0, "seconds": 0.0}
            self._resuming = False
        self._last["epoch"] = max(self._last["epoch"], epoch)
        self._last["seconds"] = max(self._last["seconds"], seconds)

    def _flush(self) -> None:
        self.training.extend(self._trained)
        self._trained.clear()
