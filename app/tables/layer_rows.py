"""Layer rows: what the layer table knows of a layer, and its columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.tables.units import count, exact, percent, shape, short
from engine.facts import LayerInfo, LayerStability


@dataclass(frozen=True)
class Limits:
    """Floor and ceiling of a layer: under its own name, and those that hold.

    Attributes:
        floor, ceiling: Its own; None where it has none.
        least, most: With those of patterns that mean it too.
    """

    floor: float | None = None
    ceiling: float | None = None
    least: float = 0.0
    most: float = 1.0

    @property
    def target(self) -> float | None:
        """The sparsity it was given: floor and ceiling are both there."""
        return self.floor if self.floor == self.ceiling else None


@dataclass(frozen=True)
class Foretold:
    """What the next prune would leave of a layer (hollow).

    Attributes:
        sparsity: Then.
        empty: Rows of the weight with nothing left.
    """

    sparsity: float
    empty: int


@dataclass(frozen=True)
class Row:
    """A layer and all that is known of it.

    Attributes:
        status: prunable, excluded or unsupported.
        empty: Rows of the weight with nothing left now; None is unknown.
        warning: What is about to disappear, in a sentence.
    """

    info: LayerInfo
    status: str
    limits: Limits = Limits()
    foretold: Foretold | None = None
    empty: int | None = None
    stability: LayerStability | None = None
    warning: str = ""

    @property
    def sparsity(self) -> float:
        """Now."""
        return self.info.zeros / self.info.weights if self.info.weights else 0.0


@dataclass(frozen=True)
class Column:
    """One column; `key` sorts and is copied, `text` is shown, `tip` explains a cell."""

    title: str
    help: str
    key: Callable[[Row], Any]
    text: Callable[[Row], str]
    tip: Callable[[Row], str] | None = None
    bound: str = ""
    is_number: bool = True


def channels(info: LayerInfo) -> str:
    """What the rows of its weight are."""
    return "input channels" if "Transpose" in info.kind else "output channels"


def _share(value: float | None) -> str:
    return "" if value is None else percent(value)


def _exactly(pick: Callable[[Row], int]) -> Callable[[Row], str]:
    return lambda row: exact(pick(row))


def _least(row: Row) -> str:
    return _limit(row.limits.floor, row.limits.least, row.limits.least > 0)


def _most(row: Row) -> str:
    return _limit(row.limits.ceiling, row.limits.most, row.limits.most < 1)


def _limit(own: float | None, holds: float, given: bool) -> str:
    """In brackets where a pattern gives it."""
    return percent(own) if own is not None else f"({percent(holds)})" if given else ""


def _bound_tip(row: Row) -> str:
    limits = row.limits
    words = (
        f"Locked at {percent(limits.target)}: floor and ceiling are the same."
        if limits.target is not None
        else f"Between {percent(limits.least)} and {percent(limits.most)}."
    )
    by_pattern = (limits.floor, limits.ceiling) == (None, None) and (
        limits.least > 0 or limits.most < 1
    )
    return words + " A pattern of the recipe says so." * by_pattern


def _empty(row: Row) -> int | None:
    return row.foretold.empty if row.foretold else row.empty


def _channels(row: Row) -> str:
    return "" if _empty(row) is None else f"{_empty(row)} of {row.info.shape[0]}"


def _channels_tip(row: Row) -> str:
    if row.foretold:
        return f"{_channels(row)} {channels(row.info)} empty after the next prune"
    return f"{_channels(row)} {channels(row.info)} empty now" if _channels(row) else ""


def _stability_tip(row: Row) -> str:
    if row.stability is None:
        return "Set checks.bootstrap and start a run to see it."
    return f"Least overlap of a bootstrap sample: {percent(row.stability.least)}"


COLUMNS = (
    Column("Layer", "Parameter name; the check box says whether the layer is pruned",
           lambda r: r.info.name, lambda r: short(r.info.name), is_number=False),
    Column("Sparsity", "Share of the weights that are zero now; the hollow bar is "
           "where the next prune is foretold to end", lambda r: r.sparsity,
           lambda r: percent(r.sparsity)),
    Column("Target", "The sparsity this layer is to have (floor and ceiling at once); "
           "type a number to set it for all selected layers, Delete clears it",
           lambda r: r.limits.target, lambda r: _share(r.limits.target), _bound_tip,
           "target"),
    Column("Floor", "The least sparsity; type a number to set it, Delete clears it. "
           "In brackets where a pattern of the recipe gives it",
           lambda r: r.limits.floor, _least, _bound_tip, "floor"),
    Column("Ceiling", "The most sparsity; type a number to set it, Delete clears it. "
           "In brackets where a pattern of the recipe gives it",
           lambda r: r.limits.ceiling, _most, _bound_tip, "ceiling"),
    Column("Forecast", "Sparsity that the next prune would leave, as it is foretold",
           lambda r: r.foretold and r.foretold.sparsity,
           lambda r: _share(r.foretold and r.foretold.sparsity)),
    Column("Channels", "Output channels (of a transposed convolution: input channels) "
           "with nothing left: as foretold, or now", _empty, _channels, _channels_tip),
    Column("Stability", "How far bootstrap samples of the gradients remove the same "
           "weights, by the newest prune of a run", lambda r: r.stability and
           r.stability.mean, lambda r: _share(r.stability and r.stability.mean),
           _stability_tip),
    Column("Type", "Type of the module", lambda r: r.info.kind, lambda r: r.info.kind,
           is_number=False),
    Column("Shape", "Shape of the weight", lambda r: r.info.weights,
           lambda r: shape(r.info.shape), is_number=False),
    Column("Weights", "Weights in the layer", lambda r: r.info.weights,
           lambda r: count(r.info.weights), _exactly(lambda r: r.info.weights)),
    Column("MACs", "Multiply-accumulates for one image", lambda r: r.info.macs,
           lambda r: count(r.info.macs), _exactly(lambda r: r.info.macs)),
    Column("Zeros", "Weights that are exactly zero now", lambda r: r.info.zeros,
           lambda r: count(r.info.zeros), _exactly(lambda r: r.info.zeros)),
    Column("Status", "Prunable, excluded, or not supported; point at a cell for the "
           "reason", lambda r: r.status, lambda r: r.status.capitalize(),
           is_number=False),
)  # fmt: skip
TITLES = tuple(column.title for column in COLUMNS)
(
    LAYER, SPARSITY, TARGET, FLOOR, CEILING, FORECAST, CHANNELS, STABILITY, TYPE, SHAPE,
    WEIGHTS, MACS, ZEROS, STATUS,
) = range(len(COLUMNS))  # fmt: skip
USUAL = ("Layer", "Sparsity", "Target")  # what a narrow window has room for
