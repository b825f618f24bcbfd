"""Profile bars: the sparsity of every layer, drawn by dragging its bar or by keys."""

from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app import assets, palette
from app.palette import FAINT
from app.tables.units import percent, short

NAME_SHARE = 0.4  # of the width at most, for the names
PAD, THICK = 6, 12  # pixels: around words, of a bar
STEP, STRIDE = 0.01, 0.05  # of a layer, per key and with Shift
Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()


@dataclass(frozen=True)
class Bar:
    """A layer.

    Attributes:
        name: Full parameter name.
        sparsity: After the next prune.
        before: Now.
        low, high: Floor and ceiling that the person gave.
        locked: Whether it stays as it is.
        drawn: Its sparsity before the last fit moved it; None where it did not.
    """

    name: str
    sparsity: float
    before: float
    low: float = 0.0
    high: float = 1.0
    locked: bool = False
    drawn: float | None = None


class ProfileModel(QAbstractListModel):
    """An adapter over the bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: list[Bar] = []

    def set_bars(self, bars: list[Bar]) -> None:
        """Show these; the selection stays while the layers are the same."""
        if [each.name for each in bars] == [each.name for each in self.bars]:
            self.bars = bars
            if bars:
                self.dataChanged.emit(self.index(0), self.index(len(bars) - 1))
            return
        self.beginResetModel()
        self.bars = bars
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.bars)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """The name, and in words what the bar shows."""
        bar = self.bars[index.row()]
        if role == Role.DisplayRole:
            return short(bar.name)
        if role == Role.AccessibleTextRole:
            return f"{short(bar.name)}, {percent(bar.sparsity)} sparse{_state(bar)}"
        if role == Role.ToolTipRole:
            return f"{bar.name}\n{percent(bar.sparsity)} sparse{_state(bar)}"
        return None


class ProfileBars(QListView):
    """Up and Down choose a layer, Left and Right move its bar, L locks it."""

    layer_chosen = Signal(str)  # full parameter name
    dragged = Signal(str, float)  # name, sparsity
    released = Signal()
    stepped = Signal(str, float)  # name, how much more
    lock_asked = Signal(str, bool)
    cancelled = Signal()

    def __init__(self, model: ProfileModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self._bars = model
        self._held = ""
        self.movable = True
        self._delegate = _Row(self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName("Sparsity of each layer, to be drawn")
        self.selectionModel().currentChanged.connect(self._choose)

    def choose(self, name: str) -> None:
        """Select this layer."""
        names = [each.name for each in self._bars.bars]
        if name in names:
            self.setCurrentIndex(self._bars.index(names.index(name)))

    @property
    def current(self) -> Bar | None:
        """The selected layer."""
        row = self.currentIndex().row()
        return self._bars.bars[row] if 0 <= row < len(self._bars.bars) else None

    def place(self, name: str) -> QRect:
        """Where a layer's bar may reach, in the viewport."""
        row = [each.name for each in self._bars.bars].index(name)
        return self._delegate.track(self.visualRect(self._bars.index(row)))

    def whole_height(self) -> int:
        """Pixels that show every layer."""
        return max(self.sizeHintForRow(0), 1) * len(self._bars.bars) + 2

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a bar."""
        super().mousePressEvent(event)
        bar = self._under(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and bar and self._free(bar):
            self._held = bar.name
            self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the bar in hand; show which can be taken."""
        if self._held:
            self._drag(event.position().x())
            return
        bar = self._under(event.position().toPoint())
        takes = bar is not None and self._free(bar)
        shape = Qt.CursorShape.SplitHCursor if takes else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        super().mouseReleaseEvent(event)
        if self._held:
            self._held = ""
            self.released.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, lock or give up by keys."""
        bar, key = self.current, event.key()
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if key == Qt.Key.Key_Escape and self._held:
            self._held = ""
            self.cancelled.emit()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and bar:
            if self._free(bar):
                sign = 1 if key == Qt.Key.Key_Right else -1
                self.stepped.emit(bar.name, sign * (STRIDE if shift else STEP))
        elif key == Qt.Key.Key_L and bar and self.movable:
            self.lock_asked.emit(bar.name, not bar.locked)
        else:
            super().keyPressEvent(event)

    def _free(self, bar: Bar) -> bool:
        return self.movable and not bar.locked

    def _under(self, at: QPoint) -> Bar | None:
        """The layer on whose track the mouse is."""
        index = self.indexAt(at)
        if not index.isValid():
            return None
        track = self._delegate.track(self.visualRect(index))
        inside = track.left() - PAD <= at.x() <= track.right() + PAD
        return self._bars.bars[index.row()] if inside else None

    def _drag(self, x: float) -> None:
        track = self.place(self._held)
        share = (x - track.left()) / max(track.width(), 1)
        self.dragged.emit(self._held, min(max(share, 0.0), 1.0))

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            self.layer_chosen.emit(self._bars.bars[current.row()].name)


class _Row(QStyledItemDelegate):
    """Name, bar and percentage."""

    def __init__(self, view: ProfileBars) -> None:
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


def _state(bar: Bar) -> str:
    """What else is to know, after a comma."""
    told = ", locked" if bar.locked else ""
    if bar.low > 0:
        told += f", floor {percent(bar.low)}"
    if bar.high < 1:
        told += f", ceiling {percent(bar.high)}"
    return told + (f", drawn at {percent(bar.drawn)}" if bar.drawn is not None else "")
