"""Small multiples: every layer's histogram at once, on one axis, with its cut."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QLineF,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app import palette
from app.plots.base import small_font
from app.tables.units import exact, percent, power_of_ten, short
from engine.facts import Histogram

CELL = QSize(168, 104)
DECADES = 10  # most that the common axis spans, counted from its upper end
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()


@dataclass(frozen=True)
class Multiples:
    """What is drawn: the layers, how sparse each is, and whether it is foretold."""

    layers: tuple[Histogram, ...] = ()
    sparsities: tuple[float, ...] = ()
    hollow: bool = False

    @property
    def span(self) -> tuple[float, float]:
        """Of the common axis, log10."""
        high = max((each.high for each in self.layers), default=1.0)
        low = min((each.low for each in self.layers), default=0.0)
        return max(low, high - DECADES), high


class MultiplesModel(QAbstractListModel):
    """An adapter over the layers."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.shown = Multiples()

    def show(self, shown: Multiples) -> None:
        """Show these; the selection stays while the layers are the same."""
        names = [each.name for each in shown.layers]
        if names == [each.name for each in self.shown.layers]:
            self.shown = shown
            if names:
                self.dataChanged.emit(self.index(0), self.index(len(names) - 1))
            return
        self.beginResetModel()
        self.shown = shown
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.shown.layers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The name, and in words what the picture shows."""
        layer = self.shown.layers[index.row()]
        sparse = percent(self.shown.sparsities[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return layer.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{short(layer.name)}, {sparse} sparse"
        if role == Qt.ItemDataRole.ToolTipRole:
            cut = "no cut" if layer.cut is None else f"cut {power_of_ten(layer.cut)}"
            stay, go = exact(sum(layer.live)), exact(sum(layer.removed))
            return f"{layer.name}\n{sparse} sparse: {go} go, {stay} stay, {cut}"
        return None


class MultiplesView(QListView):
    """A grid of small histograms; arrows choose one, click or Enter makes it large."""

    layer_chosen = Signal(str)  # full parameter name
    layer_opened = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells = MultiplesModel(self)
        self.setModel(self.cells)
        self.setItemDelegate(_Cell(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setAccessibleName("Saliencies of every layer")
        self.selectionModel().currentChanged.connect(self._choose)
        self.clicked.connect(self._open)
        self.activated.connect(self._open)

    def show_all(self, shown: Multiples, current: str) -> None:
        """Show these layers, one of them chosen."""
        self.cells.show(shown)
        names = [each.name for each in shown.layers]
        if current in names:
            self.setCurrentIndex(self.cells.index(names.index(current)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width out."""
        bar = self.verticalScrollBar().sizeHint().width()
        room = self.width() - bar - 2
        columns = max(room // CELL.width(), 1)
        self.setGridSize(QSize(room // columns, CELL.height()))
        super().resizeEvent(event)

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            self.layer_chosen.emit(current.data())

    def _open(self, index: QModelIndex) -> None:
        self.layer_opened.emit(index.data())


class Sheet(QWidget):
    """All cells on one page, for a picture of them."""

    def __init__(self, shown: Multiples, width: int) -> None:
        super().__init__()
        self._shown = shown
        self._columns = max(width // CELL.width(), 1)
        rows = -(-len(shown.layers) // self._columns)
        self.resize(self._columns * CELL.width(), max(rows, 1) * CELL.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw every cell."""
        painter = QPainter(self)
        for number in range(len(self._shown.layers)):
            row, column = divmod(number, self._columns)
            place = QRectF(0, 0, CELL.width(), CELL.height())
            place.translate(column * CELL.width(), row * CELL.height())
            draw(painter, place, self._shown, number)


class _Cell(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return option.widget.gridSize()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        painter.save()
        place, colours = QRectF(option.rect), palette.current()
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(place, QColor(colours.selected))
        if state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QColor(colours.live))
            painter.drawRect(place.adjusted(0.5, 0.5, -1.5, -1.5))
        draw(painter, place, index.model().shown, index.row())
        painter.restore()


def draw(painter: QPainter, place: QRectF, shown: Multiples, number: int) -> None:
    """One layer's histogram: name and sparsity above, bars on a log scale, its cut."""
    colours, layer = palette.current(), shown.layers[number]
    painter.setFont(small_font())
    metrics = painter.fontMetrics()
    inside = place.adjusted(8, 5, -8, -7)
    sparse = percent(shown.sparsities[number])
    wide = metrics.horizontalAdvance(sparse) + 6
    middle = Qt.TextElideMode.ElideMiddle
    name = metrics.elidedText(short(layer.name), middle, int(inside.width() - wide))
    painter.setPen(QColor(colours.text))
    top = Qt.AlignmentFlag.AlignTop
    painter.drawText(inside, top | Qt.AlignmentFlag.AlignLeft, name)
    painter.setPen(QColor(colours.muted))
    painter.drawText(inside, top | Qt.AlignmentFlag.AlignRight, sparse)
    plot = inside.adjusted(0, metrics.height() + 3, 0, 0)
    low, high = shown.span
    scale = plot.width() / max(high - low, 1e-9)
    edges = np.linspace(layer.low, layer.high, len(layer.live) + 1)
    xs = plot.left() + (np.clip(edges, low, high) - low) * scale
    tallest = math.log10(max(*layer.live, *layer.removed, 1) + 1)
    for counts, colour in (
        (layer.removed, colours.removed),
        (layer.live, colours.live),
    ):
        tall = np.log10(np.add(counts, 1)) * (plot.height() / tallest)
        steps = _steps(xs, plot.bottom() - tall, plot.bottom())
        painter.setPen(QPen(QColor(colour), 1) if shown.hollow else Qt.PenStyle.NoPen)
        painter.setBrush(palette.blend(colour, palette.FAINT if shown.hollow else 1))
        painter.drawPolygon(steps)
    painter.setPen(QColor(colours.muted))
    painter.drawLine(QLineF(plot.bottomLeft(), plot.bottomRight()))
    if layer.cut is not None and math.isfinite(layer.cut):
        x = plot.left() + (min(max(layer.cut, low), high) - low) * scale
        painter.setPen(QPen(QColor(colours.cut), 1.5))
        painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))


def _steps(xs: np.ndarray, tops: np.ndarray, floor: float) -> QPolygonF:
    """The outline of bars side by side, as far as they stand out; (bins + 1,) edges."""
    used = np.flatnonzero(tops < floor)
    if not len(used):
        return QPolygonF()
    first, last = used[0], used[-1] + 1
    across = np.repeat(xs[first : last + 1], 2)
    along = np.concatenate([[floor], np.repeat(tops[first:last], 2), [floor]])
    points = zip(across.tolist(), along.tolist(), strict=True)
    return QPolygonF([QPointF(x, y) for x, y in points])
