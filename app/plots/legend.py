"""Legend: a row of samples beside a plot, so that it never covers data."""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import palette
from app.plots.base import small_font

SAMPLE = 20  # width of a sample
GAP = 5  # between sample and word
BETWEEN = 12  # between entries
Mark = Literal[
    "line", "dashed", "point", "line+point", "hollow", "bar", "outline", "cut"
]


@dataclass(frozen=True)
class Entry:
    """One sample: `colour` is a field of `Palette`; hollow means predicted."""

    text: str
    colour: str
    mark: Mark


class Legend(QWidget):
    """Entries side by side, as many lines as the width needs."""

    def __init__(self, entries: tuple[Entry, ...], parent: QWidget | None = None):
        super().__init__(parent)
        self._entries = entries
        self.setFont(small_font())
        self.setAccessibleName("Legend: " + ", ".join(e.text for e in entries))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_entries(self, entries: tuple[Entry, ...]) -> None:
        """Show other samples."""
        self._entries = entries
        self.setAccessibleName("Legend: " + ", ".join(e.text for e in entries))
        self._fit()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Narrow means more lines."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(int(self._places(self.width())[-1].bottom()) + 4)

    def sizeHint(self) -> QSize:
        """One line of all entries."""
        places = self._places(10**6)
        return QSize(int(places[-1].right()), int(places[-1].bottom()) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw samples and words."""
        colours = palette.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for entry, place in zip(self._entries, self._places(self.width()), strict=True):
            sample = QRectF(place.left(), place.top(), SAMPLE, place.height())
            _draw(painter, sample, entry.mark, QColor(getattr(colours, entry.colour)))
            painter.setPen(QColor(colours.muted))
            words = place.adjusted(SAMPLE + GAP, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, entry.text)

    def _places(self, width: int) -> list[QRectF]:
        metrics = self.fontMetrics()
        x, y, places = 0.0, 2.0, []
        for entry in self._entries:
            wide = SAMPLE + GAP + metrics.horizontalAdvance(entry.text) + 2
            if x and x + wide > width:
                x, y = 0.0, y + metrics.height()
            places.append(QRectF(x, y, wide, metrics.height()))
            x += wide + BETWEEN
        return places


def _draw(painter: QPainter, box: QRectF, mark: Mark, colour: QColor) -> None:
    middle = box.center()
    pen = QPen(colour, 2)
    if mark == "dashed":
        pen = QPen(colour, 1.5, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    if mark in ("line", "line+point", "dashed"):
        painter.drawLine(
            QPointF(box.left(), middle.y()), QPointF(box.right(), middle.y())
        )
    elif mark == "cut":
        painter.drawLine(
            QPointF(middle.x(), box.top()), QPointF(middle.x(), box.bottom())
        )
    painter.setBrush(Qt.BrushStyle.NoBrush if mark == "hollow" else colour)
    if mark in ("point", "line+point", "hollow"):
        painter.setPen(QPen(colour, 1.5))
        painter.drawEllipse(middle, 3.2, 3.2)
    elif mark == "outline":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1))
        painter.drawRect(box.adjusted(4, 3, -4, -3))
    elif mark == "bar":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRect(box.adjusted(4, 3, -4, -3))
