"""Bars: a fraction drawn as a small solid bar, alone in a cell or behind a name."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import palette
from app.tables.units import percent

FRACTION = Qt.ItemDataRole.UserRole + 1  # float between 0 and 1, or None
FORETOLD = Qt.ItemDataRole.UserRole + 2  # the same, predicted: drawn hollow
NAME_SHARE = 0.45  # of the width at most, for the name in front of a bar
PAD = 6


class CellBar(QStyledItemDelegate):
    """A table cell: percentage on the right, bar on what remains."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the cell."""
        super().paint(painter, option, index)
        fraction = index.data(FRACTION)
        if fraction is None:
            return
        words = option.fontMetrics.horizontalAdvance(">99.9 %") + 2 * PAD
        box = option.rect.adjusted(4, 0, -words, 0)
        if box.width() > 8:
            _bar(painter, box, fraction, 8)
            _outline(painter, box, index.data(FORETOLD), 8)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Room for a bar beside the words."""
        return super().sizeHint(option, index) + QSize(40, 0)


class NamedBar(QStyledItemDelegate):
    """A list row: name, bar and percentage; the overall level runs through all rows."""

    def __init__(self, parent: object = None) -> None:
        super().__init__(parent)
        self.overall: float | None = None
        self.name_width = 0  # pixels of the longest name

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the row."""
        colours = palette.current()
        row, metrics = option.rect, option.fontMetrics
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(row, QColor(colours.selected))
        names = min(self.name_width + 2 * PAD, int(row.width() * NAME_SHARE))
        words = metrics.horizontalAdvance(">99.9 %") + 2 * PAD
        name = QRect(row.left() + PAD, row.top(), names - PAD, row.height())
        box = row.adjusted(names + PAD, 0, -words, 0)
        fraction = index.data(FRACTION)
        painter.setPen(QColor(colours.text))
        text = metrics.elidedText(
            index.data(), Qt.TextElideMode.ElideMiddle, name.width()
        )
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, text)
        _bar(painter, box, fraction, 12)
        if self.overall is not None:
            x = box.left() + self.overall * box.width()
            painter.setPen(QPen(QColor(colours.cut), 1.5))
            painter.drawLine(int(x), row.top(), int(x), row.bottom() + 1)
        painter.setPen(QColor(colours.text))
        place = QRect(box.right(), row.top(), words - PAD, row.height())
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(place, right, percent(fraction))

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """A line of text and some air."""
        return QSize(160, option.fontMetrics.height() + 8)


def _outline(
    painter: QPainter, box: QRect, fraction: float | None, height: int
) -> None:
    """Where the bar is foretold to end."""
    if fraction is None:
        return
    top = box.center().y() - height / 2 + 1
    painter.setPen(QPen(QColor(palette.current().sparsity), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    wide = box.width() * fraction
    painter.drawRect(QRectF(box.left() + 0.5, top + 0.5, wide - 1, height - 1))


def _bar(painter: QPainter, box: QRect, fraction: float, height: int) -> None:
    colours = palette.current()
    top = box.center().y() - height / 2 + 1
    painter.fillRect(QRectF(box.left(), top, box.width(), height), QColor(colours.grid))
    painter.fillRect(
        QRectF(box.left(), top, box.width() * fraction, height),
        QColor(colours.sparsity),
    )
