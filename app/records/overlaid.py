"""Overlaid: the lines and points by which runs are compared, and how to name them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.records import curves as drawn
from app.records.pareto import front
from app.records.runs import Entry
from app.tables.units import count, number

Points = tuple[np.ndarray, np.ndarray]
NOTHING: Points = (np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class Trace:
    """What is drawn of a run: a line, and points of their own.

    Attributes:
        spread: From where to where the x of its one point varied.
    """

    folder: Path
    number: int
    line: Points = NOTHING
    points: Points = NOTHING
    spread: tuple[float, float] | None = None


@dataclass(frozen=True)
class Against:
    """What accuracy is set against, and how a run tells it.

    Attributes:
        spread: From where to where the value varied while it was measured.
        from_zero: Whether differences mean little unless zero is in view.
    """

    title: str
    label: str
    value: Callable[[Entry], float | None]
    more_is_better: bool = False
    words: Callable[[float], str] = number
    spread: Callable[[Entry], tuple[float, float] | None] = lambda entry: None
    from_zero: bool = False


def _sparsity(entry: Entry) -> float | None:
    share = entry.digest.sparsity
    return None if share is None else 100 * share


def _milliseconds(entry: Entry) -> float | None:
    measured = entry.latency and entry.latency.seconds
    return 1000 * measured if measured else None


def _quartiles(entry: Entry) -> tuple[float, float] | None:
    latency = entry.latency
    return (1000 * latency.low, 1000 * latency.high) if latency else None


AGAINST = (
    Against("Sparsity", "Sparsity %", _sparsity, more_is_better=True),
    Against("MACs left", "Multiply-accumulates left, for one image",
            lambda entry: entry.digest.macs, words=lambda value: count(round(value))),
    Against("Latency", "Milliseconds of a batch", _milliseconds, spread=_quartiles,
            from_zero=True),
)  # fmt: skip
LATENCY = 2
CURVE_COLUMNS = ("run", *drawn.COLUMNS)
MEASURES = ("accuracy", "loss")
FRONT_COLUMNS = (
    "run", "sparsity", "macs", "milliseconds", "images", "device", "accuracy", "front",
)  # fmt: skip


def curves(entries: Sequence[Entry], measure: str, axis: str) -> list[Trace]:
    """Validation as a line, test as points, of what was read.

    Args:
        entries: The runs.
        measure: `accuracy` or `loss`.
        axis: `epoch` or `seconds`.
    """
    return [
        Trace(
            entry.folder,
            entry.number,
            entry.record.validation.finite(axis, measure),
            entry.record.test.finite(axis, measure),
        )
        for entry in entries
        if entry.record is not None and not entry.record.empty
    ]


def trade_off(entries: Sequence[Entry], against: Against) -> list[Trace]:
    """One point a run: its final accuracy at what it is set against."""
    return [
        Trace(
            entry.folder,
            entry.number,
            points=(np.array([x]), np.array([y])),
            spread=against.spread(entry),
        )
        for entry in entries
        for x, y in [_point(entry, against)]
        if x is not None and y is not None
    ]


def front_of(traces: Sequence[Trace], against: Against) -> list[tuple[float, float]]:
    """The points that no other run beats, in rising x."""
    points = [(float(t.points[0][0]), float(t.points[1][0])) for t in traces]
    return [points[i] for i in front(points, against.more_is_better)]


def curve_rows(entries: Sequence[Entry]) -> Iterator[tuple]:
    """Every point of every run under `CURVE_COLUMNS`."""
    for entry in entries:
        if entry.record is not None:
            yield from ((str(entry.folder), *row) for row in entry.record.rows())


def front_rows(entries: Sequence[Entry], against: Against) -> Iterator[tuple]:
    """Every run that is drawn under `FRONT_COLUMNS`; what is unknown is empty."""
    best = front_of(trade_off(entries, against), against)
    for entry in entries:
        if entry.digest is None:
            continue
        latency, accuracy = entry.latency, entry.digest.final.accuracy
        told = (
            str(entry.folder), entry.digest.sparsity, entry.digest.macs,
            _milliseconds(entry), latency and latency.images,
            latency and latency.device, accuracy,
            int(_point(entry, against) in best),
        )  # fmt: skip
        yield tuple("" if value is None else value for value in told)


def _point(entry: Entry, against: Against) -> tuple[float | None, float | None]:
    if entry.digest is None:
        return None, None
    return against.value(entry), entry.digest.final.accuracy
