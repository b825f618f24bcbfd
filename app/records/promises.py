"""Promises of a run: what each prune predicted, beside what was measured."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from app.tables.units import SURE, number, percent
from engine.events import Checked, Event, Halved, LayerPromise, Pruned

BAND = 2.0  # a kept promise is missed by at most this factor
KINDS = ("joint", "summed")
NAMES = {"joint": "exact joint", "summed": "sum of saliencies"}
WHERE = {"calibration": "calibration", "held_out": "held-out"}  # images, in words
COLUMNS = (
    "step", "what", "sparsity", "layer", "removed", "predicted_sum", "predicted_joint",
    "calibration", "calibration_error", "held_out", "held_out_error",
)  # fmt: skip
MEANING = (
    f"Inside the band the loss changed by {1 / BAND:g} to {BAND:g} times what was "
    "predicted, so predictions can be trusted. Above it a prune cost more than "
    "promised: take smaller steps, or let the schedule halve them (adaptive)."
)


@dataclass(frozen=True)
class Promise:
    """One prune; losses are mean increases per image, None while unknown."""

    step: int
    steps: int
    sparsity: float
    summed: float | None
    joint: float | None
    layers: tuple[LayerPromise, ...] = ()
    calibration: float | None = None
    held_out: float | None = None
    calibration_error: float | None = None
    held_out_error: float | None = None

    def predicted(self, kind: str) -> float | None:
        """By `joint` or `summed`; the sum where the joint loss is unknown."""
        return self.joint if kind == "joint" and self.joint is not None else self.summed

    def ratio(self, kind: str, images: str = "calibration") -> float | None:
        """Measured over predicted; None where either is unknown or nothing is asked."""
        predicted, measured = self.predicted(kind), getattr(self, images)
        if measured is None or predicted is None or predicted <= 0:
            return None
        return measured / predicted


class Promises:
    """The prunes of a run in order; add events as they come, live or from a folder.

    A resumed run may repeat prunes; the repeated ones replace what stood there.
    """

    def __init__(self) -> None:
        self.all: list[Promise] = []
        self.undone: list[Halved] = []

    def add(self, events: Iterable[Event]) -> bool:
        """Take events in; whether anything changed."""
        changed = False
        for event in events:
            if isinstance(event, Halved):
                known = (u for u in self.undone if (u.step, u.end) != _place(event))
                self.undone = [*known, event]
                changed = True
            elif isinstance(event, Pruned):
                self.all = [each for each in self.all if each.step < event.step]
                losses = event.predicted, event.predicted_joint
                at = event.step, event.steps, event.sparsity
                self.all.append(Promise(*at, *losses, event.promises))
                changed = True
            elif isinstance(event, Checked) and self.of(event.step):
                self.all = [
                    _kept(each, event) if each.step == event.step else each
                    for each in self.all
                ]
                changed = True
        return changed

    def of(self, step: int) -> Promise | None:
        """The prune of this number."""
        return next((each for each in self.all if each.step == step), None)

    def rows(self) -> Iterator[tuple]:
        """A row per prune, and one per layer of it, and each undone; see `COLUMNS`."""
        for each in self.undone:
            predicted = each.predicted, each.predicted_joint
            measured = each.calibration, each.calibration_error, "", ""
            yield _told(each.step, "undone", each.end, "", "", *predicted, *measured)
        for each in self.all:
            measured = (
                each.calibration, each.calibration_error,
                each.held_out, each.held_out_error,
            )  # fmt: skip
            at = each.sparsity, "", ""
            yield _told(each.step, "prune", *at, each.summed, each.joint, *measured)
            for layer in each.layers:
                share = layer.name, layer.removed, layer.summed, layer.joint
                at = each.step, "layer", each.sparsity
                yield _told(*at, *share, "", "", "", "")


def sentence(promise: Promise, kind: str) -> str:
    """What became of one promise."""
    where = f"Prune {promise.step} of {promise.steps} (to {percent(promise.sparsity)})"
    predicted = promise.predicted(kind)
    if predicted is None:
        said = f"{where}: this method predicts no loss"
    else:
        known = kind if promise.joint is not None else "summed"
        said = (
            f"{where} promised a loss change of {_signed(predicted)} ({NAMES[known]})"
        )
    found = [
        _measured(getattr(promise, key), getattr(promise, f"{key}_error"), word)
        for key, word in WHERE.items()
        if getattr(promise, key) is not None
    ]
    if not found:
        return f"{said}; nothing was measured (checks.images is 0, or it is under way)."
    return f"{said}; measured {' and '.join(found)}. {_verdict(promise, kind)}".rstrip()


def tried(promises: Promises, step: int) -> str:
    """What was undone before a prune was small enough; empty if nothing was."""
    larger = [each for each in promises.undone if each.step == step]
    if not larger:
        return ""
    what = " and ".join(
        f"to {percent(each.end)} ({_signed(each.calibration)})" for each in larger
    )
    return f"It was tried {what} first, undone and halved."


def _verdict(promise: Promise, kind: str) -> str:
    key = "calibration" if promise.calibration is not None else "held_out"
    predicted, ratio = promise.predicted(kind), promise.ratio(kind, key)
    if predicted is None:
        return ""
    if ratio is None:
        return "No increase was predicted, so there is no ratio."
    if ratio <= 0:
        return "The loss did not rise at all."
    times = f"That is {ratio:.3g} times the promise"
    if ratio > BAND:
        return f"{times}, above the band."
    return f"{times}: kept." if ratio >= 1 / BAND else f"{times}, below the band."


def _measured(mean: float, error: float | None, word: str) -> str:
    spread = f" \N{PLUS-MINUS SIGN} {number(_round(SURE * error, 2))}" if error else ""
    return f"{_signed(mean)}{spread} on {word} images"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(_round(value, 3))


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _kept(promise: Promise, event: Checked) -> Promise:
    return replace(
        promise,
        calibration=event.calibration,
        held_out=event.held_out,
        calibration_error=event.calibration_error,
        held_out_error=event.held_out_error,
    )


def _place(event: Halved) -> tuple[int, float]:
    return event.step, event.end


def _told(*values: object) -> tuple:
    return tuple("" if value is None else value for value in values)
