"""Class axis: names below bars, as many as there is room for."""

import math

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics

from app.plots.axes import Ticks

SHORTEST = "aut\N{HORIZONTAL ELLIPSIS}"  # of a name; the table has all of it
BETWEEN = 4  # pixels between two names


class ClassAxis(pg.AxisItem):
    """Names at 0, 1, 2..., cut where they would touch."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._width = 0
        super().__init__("bottom")

    def set_names(self, names: tuple[str, ...]) -> None:
        """Show these."""
        self._names = names
        self.picture = None
        self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """Every place; where even short names would touch, every second and so on."""
        if not self._names:
            return []
        metrics = self._metrics
        room = max(size / max(maxVal - minVal, 1e-9), 1.0)
        every = math.ceil((metrics.horizontalAdvance(SHORTEST) + BETWEEN) / room)
        self._width = int(every * room) - BETWEEN
        shown = range(max(int(minVal), 0), min(int(maxVal) + 1, len(self._names)))
        return [(float(every), [float(i) for i in shown if i % every == 0])]

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """The names, long ones cut."""
        cut, side = self._metrics.elidedText, Qt.TextElideMode.ElideRight
        return [cut(self._names[int(value)], side, self._width) for value in values]

    @property
    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self.style["tickFont"] or self.font())
