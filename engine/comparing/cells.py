"""What a comparison says: its cells, their means and spreads, and its events."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from engine.events import Event


@dataclass(frozen=True)
class Cell:
    """One run of a comparison; what is not known yet is None.

    Attributes:
        method, sparsity, seed: Which one.
        dense, pruned, repaired, final: Test accuracy in percent at each stage.
        loss: Test loss of the final network.
        predicted: Loss increase as the sum of single saliencies, over all steps.
        predicted_joint: The same for the exact joint removal per block.
        seconds: Of work; a fit that serves several sparsities counts in the first.
        peak_memory: Bytes.
        error: Why it failed; empty otherwise.
    """

    method: str
    sparsity: float
    seed: int
    dense: float | None = None
    pruned: float | None = None
    repaired: float | None = None
    final: float | None = None
    loss: float | None = None
    predicted: float | None = None
    predicted_joint: float | None = None
    seconds: float | None = None
    peak_memory: int | None = None
    error: str = ""

    @property
    def key(self) -> tuple[str, float, int]:
        """Which one."""
        return self.method, self.sparsity, self.seed

    @property
    def done(self) -> bool:
        """Whether it reached its end."""
        return self.seconds is not None


@dataclass(frozen=True)
class Spread:
    """Mean over seeds and sample standard deviation (None of fewer than two)."""

    mean: float
    deviation: float | None
    count: int

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Spread | None":
        """Of the numbers among the values; None when there are none."""
        known = [v for v in values if v is not None and math.isfinite(v)]
        if not known:
            return None
        deviation = statistics.stdev(known) if len(known) > 1 else None
        return cls(statistics.fmean(known), deviation, len(known))


@dataclass(frozen=True)
class Group:
    """All seeds of a method at a sparsity.

    Attributes:
        total, failed: Cells in all, and those that failed.
        pruned, repaired, final: Accuracies in percent.
    """

    method: str
    sparsity: float
    total: int
    failed: int
    pruned: Spread | None
    repaired: Spread | None
    final: Spread | None


@dataclass(frozen=True)
class ComparisonStarted(Event):
    """The first event of a comparison; `cells` are all, with the results known."""

    folder: str
    methods: tuple[str, ...]
    sparsities: tuple[float, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class CellStarted(Event):
    """Cell `number` of `total` begins; `seconds_left` of all, negative if unknown."""

    number: int
    total: int
    cell: Cell
    seconds_left: float


@dataclass(frozen=True)
class CellFinished(Event):
    """It was measured, or failed; `seconds_left` as in `CellStarted`."""

    number: int
    total: int
    cell: Cell
    seconds_left: float


@dataclass(frozen=True)
class ComparisonEnded(Event):
    """The last event of a comparison; cells that are not done can still be filled."""

    done: int
    failed: int
    total: int
    stopped: bool


CELL_EVENTS: tuple[type[Event], ...] = (
    ComparisonStarted,
    CellStarted,
    CellFinished,
    ComparisonEnded,
)


UNITS = {"peak_memory": "peak_memory_bytes"}  # columns whose field lacks the unit
COLUMNS = tuple(UNITS.get(field.name, field.name) for field in fields(Cell))


def rows(cells: Iterable[Cell]) -> list[tuple]:
    """A row under `COLUMNS` for each cell that ended; None is not known."""
    return [astuple(cell) for cell in cells if cell.done or cell.error]


def groups(cells: Iterable[Cell]) -> tuple[Group, ...]:
    """Cells gathered over their seeds: methods as they come, sparsities ascending."""
    gathered: dict[tuple[str, float], list[Cell]] = {}
    for cell in cells:
        gathered.setdefault((cell.method, cell.sparsity), []).append(cell)
    methods = list(dict.fromkeys(method for method, _ in gathered))
    order = sorted(gathered, key=lambda key: (methods.index(key[0]), key[1]))
    return tuple(_group(*key, gathered[key]) for key in order)


def seconds_left(cells: Iterable[Cell]) -> float:
    """Work to come, by what finished cells of a method took, else by all; or -1."""
    cells = tuple(cells)
    overall = Spread.of(cell.seconds for cell in cells)
    if overall is None:
        return -1.0
    spent = {
        method: Spread.of(cell.seconds for cell in cells if cell.method == method)
        for method in {cell.method for cell in cells}
    }
    waiting = (cell for cell in cells if not cell.done and not cell.error)
    return sum((spent[cell.method] or overall).mean for cell in waiting)


def _group(method: str, sparsity: float, cells: list[Cell]) -> Group:
    return Group(
        method,
        sparsity,
        len(cells),
        sum(bool(cell.error) for cell in cells),
        Spread.of(cell.pruned for cell in cells),
        Spread.of(cell.repaired for cell in cells),
        Spread.of(cell.final for cell in cells),
    )
