"""Profile row: a layer's name, bar and percentage; what would go is hollow."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app import assets, palette
from app.palette import FAINT
from app.tables.profile_bars import Bar
from app.tables.units import percent, short

NAME_SHARE = 0.4  # of the width at most, for the names
PAD, THICK = 6, 12  # pixels: around words, of a bar


class ProfileRow(QStyledItemDelegate):
    """Name, bar and percentage."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view

    def track(self, row: QRect) -> QRect:
        """Where the bar may be."""
        metrics = self._view.fontMetrics()
        bars = self._view.model().bars
        wide = max((metrics.horizontalAdvance(short(b.name)) for b in bars), default=0)
        names = min(wide + 2, int(row.width() * NAME_SHARE)) + 2 * PAD
        words = metrics.horizontalAdvance(">99.9 %") + metrics.height() + 3 * PAD
        return row.adjusted(names, 0, -words, 0)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """A line of text and some air."""
        return QSize(160, option.fontMetrics.height() + 8)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the row."""
        colours, row = palette.current(), option.rect
        bar: Bar = index.model().bars[index.row()]
        track, metrics = self.track(row), option.fontMetrics
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(row, QColor(colours.selected))
        name = QRect(row.left() + PAD, row.top(), 0, row.height())
        name.setRight(track.left() - PAD)
        text = metrics.elidedText(
            index.data(), Qt.TextElideMode.ElideMiddle, name.width()
        )
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(colours.muted if bar.locked else colours.text))
        painter.drawText(name, middle, text)
        _bar(painter, track, bar)
        painter.setPen(QColor(colours.muted if bar.locked else colours.text))
        words = QRect(track.right() + PAD, row.top(), 0, row.height())
        words.setRight(row.right() - metrics.height() - PAD)
        painter.drawText(
            words, middle | Qt.AlignmentFlag.AlignRight, percent(bar.sparsity)
        )
        if bar.locked:
            side = metrics.height() - 2
            place = QRect(words.right() + 3, 0, side, side)
            place.moveTop(row.center().y() - side // 2)
            assets.icon("lock").paint(painter, place)
        painter.restore()


def _bar(painter: QPainter, track: QRect, bar: Bar) -> None:
    """The track, the solid part that is gone, the hollow one that goes, and limits."""
    colours = palette.current()
    top = track.center().y() - THICK / 2 + 1
    colour = colours.muted if bar.locked else colours.sparsity

    def part(start: float, end: float) -> QRectF:
        left = track.left() + start * track.width()
        return QRectF(left, top, (end - start) * track.width(), THICK)

    painter.fillRect(part(0, 1), QColor(colours.grid))
    painter.fillRect(part(0, bar.sparsity), QColor(colours.background))
    painter.fillRect(part(0, bar.sparsity), palette.blend(colour, FAINT))
    painter.fillRect(part(0, bar.before), QColor(colour))
    painter.setPen(QPen(QColor(colour), 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(part(0, bar.sparsity).adjusted(0, 0.5, 0, -0.5))
    grip = track.left() + bar.sparsity * track.width()
    painter.fillRect(QRectF(grip - 1.5, top - 2, 3, THICK + 4), QColor(colour))
    painter.setPen(QPen(QColor(colours.cut), 1.5))
    for share in (bar.low, bar.high):
        if 0 < share < 1:
            _upright(painter, track, share, top)
    if bar.drawn is not None:
        painter.setPen(QPen(QColor(colours.text), 1.5))
        _upright(painter, track, bar.drawn, top)


def _upright(painter: QPainter, track: QRect, share: float, top: float) -> None:
    x = round(track.left() + share * track.width())
    painter.drawLine(x, int(top) - 2, x, int(top) + THICK + 2)
