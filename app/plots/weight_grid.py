"""Weight grid: where a layer's weights are in a picture, and cells that sum them up."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from engine.looking.layer_weights import LayerWeights

Arrangement = Literal["matrix", "filters"]
Cell = Literal["largest", "mean"]
MOST_ROWS, MOST_COLUMNS = 400, 600  # cells of a picture
AT_ONCE = 1_000_000  # weights that are gathered together
GAP = 1  # cells between two filters


@dataclass(frozen=True)
class Window:
    """Part of a picture: rows and columns from and to."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, eq=False)
class Cells:
    """A window as it is drawn; each cell stands for `high` x `wide` weights.

    Attributes:
        window: What is covered.
        high, wide: Weights per cell; both 1 shows every weight.
        values: What a cell says (rows, columns), NaN where there is no weight.
        gone, going: Shares of its weights.
    """

    window: Window
    high: int
    wide: int
    values: np.ndarray
    gone: np.ndarray
    going: np.ndarray

    @property
    def reduced(self) -> bool:
        """Whether cells stand for several weights."""
        return self.high * self.wide > 1


class Grid:
    """A layer laid out in rows and columns, an output channel after the other.

    As a matrix, a row is all that an output channel sees; as filters, each kernel is a
    small picture, output channels down and input channels across.

    Args:
        layer: Two and more dimensions.
        arrangement: Of its weights.
    """

    def __init__(self, layer: LayerWeights, arrangement: Arrangement) -> None:
        self.layer = layer
        out, inputs, *kernel = layer.values.shape
        *deep, width = kernel or (1,)
        height = int(np.prod(deep, dtype=int))
        each = height * width
        self.filters = arrangement == "filters" and each > 1
        if self.filters:
            down = np.arange(height + GAP) * width
            across = np.arange(width + GAP)
            down[height:] = across[width:] = -layer.values.size
            rows = np.arange(out)[:, None] * inputs * each + down
            columns = np.arange(inputs)[:, None] * each + across
            self._rows = rows.reshape(-1)[: -GAP or None]
            self._columns = columns.reshape(-1)[: -GAP or None]
        else:
            self._rows = np.arange(out) * inputs * each
            self._columns = np.arange(inputs * each)
        gap = GAP if self.filters else 0
        self.high = height + gap if self.filters else 1  # rows of an output channel
        self.wide = width + gap if self.filters else each
        self.gap = gap

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self._rows), len(self._columns)

    def position(self, row: int, column: int) -> int | None:
        """The weight at a place, by its position when flattened; None in a gap."""
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return None
        found = int(self._rows[row] + self._columns[column])
        return found if found >= 0 else None

    def largest(self, row: int, column: int, high: int, wide: int) -> int | None:
        """The weight of the largest size in the cell that a place is in."""
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return None
        top, left = row // high * high, column // wide * wide
        places = self._rows[top : top + high, None] + self._columns[left : left + wide]
        places = places[places >= 0]
        if not len(places):
            return None
        return int(places[np.abs(self.layer.values.reshape(-1)[places]).argmax()])

    def place(self, position: int) -> tuple[int, int]:
        """Row and column of a weight."""
        out, rest = divmod(position, self.layer.values[0].size)
        if not self.filters:
            return out, rest
        column = self.layer.values.shape[-1]
        kernel = int(np.prod(self.layer.values.shape[2:]))
        inside = rest % kernel
        return (
            out * self.high + inside // column,
            rest // kernel * self.wide + inside % column,
        )

    def cells(self, window: Window, kind: Cell) -> Cells:
        """What to draw of a window, in at most 400 x 600 cells.

        Args:
            window: Part of the picture; is widened to whole cells.
            kind: What a cell of several weights says: the one of the largest size, or
                the mean of their sizes.
        """
        high = -(-(window.bottom - window.top) // MOST_ROWS)
        wide = -(-(window.right - window.left) // MOST_COLUMNS)
        high, wide = max(high, 1), max(wide, 1)
        top, left = window.top // high * high, window.left // wide * wide
        whole = Window(top, window.bottom, left, window.right)
        columns = _padded(self._columns[left : window.right], wide, self._nowhere)
        rows = self._rows[top : window.bottom]
        step = max(1, AT_ONCE // (high * len(columns))) * high
        parts = [
            self._summed(
                _padded(rows[at : at + step], high, self._nowhere),
                columns, high, wide, kind,
            )
            for at in range(0, len(rows), step)
        ]  # fmt: skip
        values, gone, going = (
            np.concatenate(each) for each in zip(*parts, strict=True)
        )
        return Cells(whole, high, wide, values, gone, going)

    def densities(self, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Shares of each output (0) or input channel (1) that stay.

        Returns:
            Edges of the channels (n + 1,), and how much of each is left now and after
            the prune (n,).
        """
        gone, going = self._by_channel
        each = self.high if axis == 0 else self.wide
        edges = np.arange(len(gone[axis]) + 1) * float(each)
        return edges, 1 - gone[axis], 1 - gone[axis] - going[axis]

    @cached_property
    def _by_channel(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        def shares(chosen: np.ndarray) -> list[np.ndarray]:
            flat = chosen.reshape(*chosen.shape[:2], -1)
            return [flat.mean((1, 2)), flat.mean((0, 2))]

        return shares(self.layer.gone), shares(self.layer.going)

    @property
    def _nowhere(self) -> int:
        """A row or column that makes every place negative."""
        return -2 * self.layer.values.size

    def _summed(
        self, rows: np.ndarray, columns: np.ndarray, high: int, wide: int, kind: Cell
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        places = rows[:, None] + columns
        nobody = places < 0
        layer = self.layer

        def apart(values: np.ndarray) -> np.ndarray:
            return values.reshape(len(rows) // high, high, len(columns) // wide, wide)

        some = apart(~nobody).sum((1, 3))
        values = layer.values.reshape(-1).take(places, mode="clip")
        values[nobody] = 0
        parts = apart(values)
        if high * wide == 1:
            found = values
        elif kind == "mean":
            found = np.abs(parts).sum((1, 3)) / np.maximum(some, 1)
        else:
            most, least = parts.max((1, 3)), parts.min((1, 3))
            found = np.where(most >= -least, most, least)
        found = np.where(some > 0, found, np.nan)
        shares = []
        for flags in (layer.gone, layer.going):
            chosen = flags.reshape(-1).take(places, mode="clip") & ~nobody
            shares.append(apart(chosen).sum((1, 3)) / np.maximum(some, 1))
        return found, *shares


def _padded(places: np.ndarray, each: int, fill: int) -> np.ndarray:
    """As many as fill whole cells; what is added is no weight."""
    return np.pad(places, (0, -len(places) % each), constant_values=fill)


def scale(values: np.ndarray, most: int = 1_000_000) -> float:
    """The size that 99 % of the weights stay below, of a million at most."""
    flat = values.reshape(-1)
    sizes = np.abs(flat[:: max(1, len(flat) // most)])
    return float(np.quantile(sizes, 0.99)) or float(sizes.max()) or 1.0
