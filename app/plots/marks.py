"""Marks: vertical lines where weights were removed, and their labels above the plot."""

import pyqtgraph as pg
from PySide6.QtCore import QLineF
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.plots.axes import Ticks

LABEL_WIDTH = 46  # pixels a label needs


class VerticalLines(pg.UIGraphicsItem):
    """Lines over the whole height of a plot; they do not count for its range."""

    def __init__(self) -> None:
        self._at: list[float] = []
        self._pen = QPen()
        super().__init__()

    def set_at(self, at: list[float]) -> None:
        """Draw at these x."""
        if at != self._at:
            self._at = at
            self.update()

    def set_pen(self, pen: QPen) -> None:
        """Draw with this (cosmetic) pen."""
        self._pen = pen
        self.update()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Draw what is in view."""
        view = self.boundingRect()
        painter.setPen(self._pen)
        painter.drawLines(
            [
                QLineF(x, view.top(), x, view.bottom())
                for x in self._at
                if view.left() <= x <= view.right()
            ]
        )


class LabelAxis(pg.AxisItem):
    """Words at given x above a plot; where they would touch, the later one stays."""

    def __init__(self) -> None:
        self._labels: dict[float, str] = {}
        super().__init__("top")
        self.setStyle(tickLength=0, tickTextOffset=1, hideOverlappingLabels=False)

    def set_labels(self, labels: dict[float, str]) -> None:
        """Show these words."""
        if labels != self._labels:
            self._labels = labels
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """The x that leave room for each other, the last one first."""
        needed = LABEL_WIDTH * (maxVal - minVal) / max(size, 1)
        chosen: list[float] = []
        for x in sorted(self._labels, reverse=True):
            if minVal <= x <= maxVal and (not chosen or chosen[-1] - x >= needed):
                chosen.append(x)
        return [(needed, chosen)]

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """The words."""
        return [self._labels.get(value, "") for value in values]
