"""Series: named columns of floats that grow without being copied each time."""

import numpy as np


class Series:
    """Rows of floats in order of arrival, read by column.

    Args:
        *names: The columns.
    """

    def __init__(self, *names: str) -> None:
        self._index = {name: i for i, name in enumerate(names)}
        self._rows = np.empty((256, len(names)))
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, rows: list[tuple[float, ...]]) -> None:
        """Append rows, each as long as there are columns."""
        if not rows:
            return
        needed = self._length + len(rows)
        if needed > len(self._rows):
            grown = np.empty((max(needed, 2 * len(self._rows)), self._rows.shape[1]))
            grown[: self._length] = self._rows[: self._length]
            self._rows = grown
        self._rows[self._length : needed] = rows
        self._length = needed

    def column(self, name: str) -> np.ndarray:
        """A view on one column, shape (rows,)."""
        return self._rows[: self._length, self._index[name]]

    def rows(self) -> list[list[float]]:
        """All rows as plain numbers."""
        return self._rows[: self._length].tolist()

    def finite(self, x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
        """Two columns without the rows whose y cannot be drawn (nan, inf)."""
        xs, ys = self.column(x), self.column(y)
        keep = np.isfinite(ys)
        return xs[keep], ys[keep]

    def nearest(self, x: str, at: float) -> dict[str, float] | None:
        """The row whose x column, which must not decrease, comes closest."""
        xs = self.column(x)
        if not len(xs):
            return None
        right = min(int(np.searchsorted(xs, at)), len(xs) - 1)
        left = max(right - 1, 0)
        row = left if abs(xs[left] - at) <= abs(xs[right] - at) else right
        return {name: float(self._rows[row, i]) for name, i in self._index.items()}

    def cut(self, name: str, value: float) -> None:
        """Forget every row from the first one whose column exceeds the value."""
        self._length = int(np.searchsorted(self.column(name), value, side="right"))
