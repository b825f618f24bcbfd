"""Polylines: hundreds of lines as one item of a plot, each with a pen of its own."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

Points = tuple[np.ndarray, np.ndarray]


class Polylines(pg.GraphicsObject):
    """Lines from point to point; a pyqtgraph curve for each would take seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: list[QPainterPath] = []
        self._pens: Sequence[QPen] = ()
        self._box = QRectF()

    def set_lines(self, lines: Sequence[Points]) -> None:
        """Draw these; the pens come with `set_pens`."""
        self.prepareGeometryChange()
        self._paths = [pg.arrayToQPath(x, y) for x, y in lines]
        self._box = QRectF()
        some = [line for line in lines if len(line[0])]
        if some:
            x = np.concatenate([line[0] for line in some])
            y = np.concatenate([line[1] for line in some])
            low, high = (x.min(), y.min()), (x.max(), y.max())
            self._box = QRectF(*low, high[0] - low[0], high[1] - low[1])
        self._pens = [QPen()] * len(self._paths)
        self.informViewBoundsChanged()
        self.update()

    def set_pens(self, pens: Sequence[QPen]) -> None:
        """Draw with these (cosmetic) pens, one a line."""
        self._pens = pens
        self.update()

    def dataBounds(
        self, ax: int, frac: float = 1.0, orthoRange: object = None
    ) -> tuple[float, float] | None:
        """From where to where the lines go; pyqtgraph's signature."""
        if self._box.isNull():
            return None
        box = self._box
        return (box.left(), box.right()) if ax == 0 else (box.top(), box.bottom())

    def boundingRect(self) -> QRectF:
        """Of all of them."""
        return self._box

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """Draw them."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for path, pen in zip(self._paths, self._pens, strict=True):
            painter.setPen(pen)
            painter.drawPath(path)
