"""Weights: a layer as a picture, with densities of its channels beside it."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.channel_axis import ChannelAxis
from app.plots.legend import Entry, Legend
from app.plots.margins import Margins
from app.plots.weight_colours import Look, pixels
from app.plots.weight_grid import Cells, Grid, Window

ZOOM = 0.6  # of a key press
BESIDE = (
    Entry("Chosen", "cut", "outline"),
    Entry("Takes over (predicted)", "cut", "hollow"),
    Entry("Share left", "sparsity", "bar"),
    Entry("After the prune", "sparsity", "dashed"),
)
FORETOLD = ("Would go (lighter, hollow)", "Would go", "After the prune")
ENTRIES: dict[Look, tuple[Entry, ...]] = {
    "weights": (
        Entry("Above 0", "validation", "bar"),
        Entry("Below 0", "test", "bar"),
        Entry("Would go (lighter, hollow)", "muted", "outline"),
        Entry("Gone", "grid", "bar"),
        *BESIDE,
    ),
    "mask": (
        Entry("Stays", "live", "bar"),
        Entry("Would go", "removed", "outline"),
        Entry("Gone", "removed", "bar"),
        *BESIDE,
    ),
}
ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class WeightsFigure(base.Figure):
    """Pans and zooms; a click or the keys choose a weight."""

    hovered = Signal(object)  # position of the weight under the mouse, or None
    chosen = Signal(int)  # position of a weight
    asked = Signal()  # Enter: what takes over from the chosen weight?
    window_changed = Signal()  # another part is in view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Weights of the layer")
        self.grid: Grid | None = None
        self.cells: Cells | None = None
        self.at: int | None = None
        self._look: Look = "weights"
        self._full = 1.0
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows, self._columns = ChannelAxis("left"), ChannelAxis("bottom")
        self._plot = base.plot_item("Output channel", self._columns, self._rows)
        self._plot.showGrid(x=False, y=False)
        self._plot.setLabel("bottom", "Input channel")
        self._plot.getViewBox().invertY(True)
        room = 2 * self.fontMetrics().height() + 8  # numbers and a title
        self._columns.setHeight(room)
        self._canvas.addItem(self._plot, 1, 0)
        self._canvas.ci.layout.setSpacing(0)
        self._canvas.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.margins = Margins(self._canvas, self._plot, room)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._mark = pg.ScatterPlotItem(symbol="s", size=11)
        self._movers = pg.ScatterPlotItem(symbol="o")
        for item in (self._image, self._mark, self._movers):
            self._plot.addItem(item)
        self.legend = Legend(ENTRIES["weights"])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self._canvas, 1)
        self._canvas.scene().sigMouseMoved.connect(self._moved)
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self._plot.getViewBox().sigRangeChanged.connect(self._on_range)
        self.recolour(palette.current())

    @property
    def window(self) -> Window | None:
        """What is in view, in rows and columns."""
        if self.grid is None:
            return None
        rows, columns = self.grid.shape
        (left, right), (top, bottom) = self._plot.getViewBox().viewRange()
        top, bottom = max(int(top), 0), min(int(np.ceil(bottom)), rows)
        left, right = max(int(left), 0), min(int(np.ceil(right)), columns)
        if top >= bottom or left >= right:
            return None
        return Window(top, bottom, left, right)

    def show_layer(
        self, grid: Grid, names: tuple[str, str], full: float, anew: bool
    ) -> None:
        """Lay a layer out; its cells come later.

        Args:
            grid: Where its weights are.
            names: Of its rows and columns.
            full: Size of a weight that has the full colour.
            anew: Show all of it.
        """
        self.grid, self._full = grid, full
        for axis, title, each in (
            (self._rows, names[0], grid.high),
            (self._columns, names[1], grid.wide),
        ):
            axis.set_channels(each, grid.gap)
            axis.setLabel(title)
        self.margins.draw(grid)
        if anew:
            self.cells = None
            self._image.clear()
            rows, columns = grid.shape
            box = self._plot.getViewBox()
            box.setLimits(
                xMin=-0.05 * columns, xMax=1.05 * columns,
                yMin=-0.05 * rows, yMax=1.05 * rows, minXRange=4, minYRange=4,
            )  # fmt: skip
            self.reset_view()
        self.recolour(palette.current())

    def show_cells(self, cells: Cells, look: Look) -> None:
        """Draw what was summed up of the window."""
        self.cells, self._look = cells, look
        foretold = self.margins.foretold
        shown = (e for e in ENTRIES[look] if foretold or e.text not in FORETOLD)
        self.legend.set_entries(tuple(shown))
        self._paint()

    def choose(self, position: int | None) -> None:
        """Mark a weight, and bring it into view."""
        self.at = position
        spots = [] if position is None else [self._middle(position)]
        self._mark.setData(pos=spots)
        self.show_movers(())
        if position is not None:
            self._reveal(*self.grid.place(position))

    def show_movers(self, movers: tuple[tuple[int, float], ...]) -> None:
        """Mark survivors: positions, and how far each moves relative to the first."""
        spots = [{"pos": self._middle(at), "size": 7 + 8 * size} for at, size in movers]
        self._movers.setData(spots)

    def reset_view(self) -> None:
        """Show the whole layer."""
        if self.grid is not None:
            rows, columns = self.grid.shape
            self._plot.setRange(QRectF(0, 0, columns, rows), padding=0)

    def zoom(self, factor: float) -> None:
        """Closer (below 1) or further, around the chosen weight or the middle."""
        box = self._plot.getViewBox()
        box.scaleBy((factor, factor))
        if self.at is not None:
            middle = QPointF(*self._middle(self.at)) - box.viewRect().center()
            box.translateBy(x=middle.x(), y=middle.y())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose, + and - zoom, Home shows all, Enter asks."""
        key = event.key()
        if key in ARROWS and self.grid is not None:
            self._step(*ARROWS[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(ZOOM)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / ZOOM)
        elif key == Qt.Key.Key_Home:
            self.reset_view()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.asked.emit()
        else:
            super().keyPressEvent(event)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        base.recolour(self._plot, colours)
        self.margins.recolour(colours)
        self._mark.setPen(base.line(colours.cut, 2))
        self._mark.setBrush(None)
        self._movers.setPen(base.line(colours.cut, 1.4))
        self._movers.setBrush(None)
        self._paint()

    def _paint(self) -> None:
        if self.cells is None:
            return
        cells, window = self.cells, self.cells.window
        rows, columns = cells.values.shape
        image = pixels(cells, self._look, self._full, palette.current())
        self._image.setImage(image, autoLevels=False, levels=(0, 255))
        size = columns * cells.wide, rows * cells.high
        self._image.setRect(QRectF(window.left, window.top, *size))

    def _middle(self, position: int) -> tuple[float, float]:
        row, column = self.grid.place(position)
        return column + 0.5, row + 0.5

    def _step(self, down: int, right: int) -> None:
        """To the next weight on this side, over gaps; at first to a corner."""
        if self.at is None:
            window = self.window
            row, column = (window.top, window.left) if window else (0, 0)
        else:
            row, column = self.grid.place(self.at)
            row, column = row + down, column + right
        rows, columns = self.grid.shape
        while 0 <= row < rows and 0 <= column < columns:
            found = self.grid.position(row, column)
            if found is not None:
                self.chosen.emit(found)
                return
            row, column = row + (down or not right), column + right

    def _reveal(self, row: int, column: int) -> None:
        """Move the view just as far as it needs."""
        box = self._plot.getViewBox()
        (left, right), (top, bottom) = box.viewRange()
        x = min(column - left, 0) + max(column + 1 - right, 0)
        y = min(row - top, 0) + max(row + 1 - bottom, 0)
        if x or y:
            box.translateBy(x=x, y=y)

    def _on_range(self) -> None:
        if self.grid is not None:
            self.window_changed.emit()

    def _under(self, scene: QPointF) -> int | None:
        """The weight at a place of the scene; of a cell the one that it shows."""
        box = self._plot.getViewBox()
        if self.grid is None or not box.sceneBoundingRect().contains(scene):
            return None
        at = box.mapSceneToView(scene)
        row, column = int(np.floor(at.y())), int(np.floor(at.x()))
        if self.cells is None or not self.cells.reduced:
            return self.grid.position(row, column)
        return self.grid.largest(row, column, self.cells.high, self.cells.wide)

    def _moved(self, scene: QPointF) -> None:
        self.hovered.emit(self._under(scene))

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()
            return
        found = self._under(event.scenePos())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setFocus()
            self.chosen.emit(found)
