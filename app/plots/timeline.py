"""Timeline: what each node of a run has come to, and the tree of its runs below."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import PercentAxis, WholeAxis
from app.plots.legend import Entry, Legend
from app.plots.marks import LabelAxis, VerticalLines
from app.plots.run_tree import RunTree
from app.records.timeline import Spot, mark
from engine.events import NodeKept
from engine.records.timeline import Line

ENTRIES = (
    Entry("Prune", "sparsity", "point"),
    Entry("Epoch", "training", "point"),
    Entry("Dense, end", "dense", "point"),
    Entry("Sparsity", "sparsity", "line+point"),
    Entry("Validation accuracy", "validation", "point"),
    Entry("Test accuracy", "test", "point"),
    Entry("Accuracy of other runs", "muted", "line+point"),
    Entry("Planned", "sparsity", "hollow"),
)
STEPS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


class TimelineFigure(base.Figure):
    """Measures above, the tree below; every mark of a node is solid."""

    chosen = Signal(object)  # Spot
    walked = Signal(int, int)  # nodes to the right, lines down
    wanted = Signal()  # the chosen one, by a double click or Enter
    left = Signal()  # by Escape

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline: left and right walk through the nodes")
        self._lines: tuple[Line, ...] = ()
        self._ahead: tuple[float, ...] = ()
        self._spot: Spot | None = None
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._measures = base.plot_item("%", WholeAxis("bottom"), PercentAxis("left"))
        self._labels = LabelAxis()
        self._measures.setAxisItems({"top": self._labels})
        self._measures.getAxis("bottom").setStyle(showValues=False)
        self.tree = RunTree()
        self.tree.plot.setXLink(self._measures)
        for number, plot in enumerate((self._measures, self.tree.plot)):
            self.canvas.addItem(plot, number, 0)
            self.canvas.ci.layout.setRowStretchFactor(number, 3 - number)
        self._beside = pg.PlotDataItem(connect="finite")
        self._sparsity = pg.PlotDataItem()
        self._planned = pg.PlotDataItem()
        self._accuracy = {split: pg.PlotDataItem() for split in ("validation", "test")}
        drawn = (self._beside, self._planned, self._sparsity)
        for item in (*drawn, *self._accuracy.values()):
            self._measures.addItem(item)
        self._here = VerticalLines()
        self._measures.addItem(self._here)
        self.canvas.scene().sigMouseClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self.canvas, 1)
        self.recolour(palette.current())

    def draw(
        self, lines: tuple[Line, ...], ahead: tuple[float, ...], spot: Spot
    ) -> None:
        """Show the run, the first line, and its family; one node is chosen.

        Args:
            lines: With at least one node each.
            ahead: Sparsities of the prunes that are planned.
            spot: The chosen node.
        """
        known = (self._lines, self._ahead)
        fresh = _extent(lines) != _extent(self._lines)
        self._lines, self._ahead, self._spot = lines, ahead, spot
        if known != (lines, ahead):
            self._draw_all()
        self.tree.point(spot)
        self._here.set_at([float(spot[1])])
        if fresh:
            self.reset_view()

    def reset_view(self) -> None:
        """Show every node, and the first of the branches."""
        ends = [line.nodes[-1].node for line in self._lines] or [1]
        last = max(*ends, ends[0] + len(self._ahead), 1)
        self._measures.setXRange(0, last, padding=0.04)
        self._measures.setYRange(0, 100, padding=0.06)
        self.canvas.ci.layout.setRowStretchFactor(1, self.tree.lanes)
        self.tree.reset_view()

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self.canvas.setBackground(colours.background)
        base.recolour(self._measures, colours)
        self.tree.recolour(colours)
        _dress(self._sparsity, base.solid(colours.sparsity, 6))
        self._sparsity.setPen(base.line(colours.sparsity, 1.6))
        _dress(self._planned, base.hollow(colours.sparsity, 8))
        for split, points in self._accuracy.items():
            _dress(points, base.solid(getattr(colours, split), 7))
        _dress(self._beside, base.solid(colours.muted, 4))
        self._beside.setPen(base.line(palette.blend(colours.muted, 0.5), 1))
        self._here.set_pen(base.line(colours.cut, 1, Qt.PenStyle.DotLine))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk, Home and End jump, Enter takes, Escape goes back."""
        end = self._lines[self._spot[0]].nodes[-1].node if self._spot else 0
        jumps = {Qt.Key.Key_Home: (-end, 0), Qt.Key.Key_End: (end, 0)}
        step = {**STEPS, **jumps}.get(event.key())
        if step is not None:
            self.walked.emit(*step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.wanted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def place_of(self, spot: Spot) -> QPoint:
        """Where a node of the tree is, in pixels of the `canvas`."""
        return self.canvas.mapFromScene(self.tree.place_of(spot))

    def _draw_all(self) -> None:
        own, ahead = self._lines[0].nodes, self._ahead
        self._sparsity.setData(_x(own), np.array([100 * n.sparsity for n in own]))
        for split, points in self._accuracy.items():
            some = [n for n in own if n.split == split]
            points.setData(_x(some), np.array([n.accuracy for n in some], float))
        coming = own[-1].node + 1 + np.arange(len(ahead), dtype=float)
        self._planned.setData(coming, 100 * np.array(ahead, float))
        self.tree.draw(self._lines, coming)
        self._draw_beside()
        self._labels.set_labels({float(n.node): mark(n) for n in own})

    def _draw_beside(self) -> None:
        """Accuracies of the other runs, where they are on their own."""
        x, y = [], []
        for number, line in enumerate(self._lines[1:], 1):
            own = line.nodes[max(self.tree.origins[number][1], 0) :]
            x += [*(float(node.node) for node in own), np.nan]
            y += [_known(node.accuracy) for node in own] + [np.nan]
        self._beside.setData(np.array(x, float), np.array(y, float))

    def _clicked(self, event: object) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if not self._lines:
            return
        at = event.scenePos()
        if self.tree.plot.sceneBoundingRect().contains(at):
            spot = self.tree.nearest(at)
        else:
            x = self._measures.vb.mapSceneToView(at).x()
            nodes = [node.node for node in self._lines[0].nodes]
            spot = 0, min(nodes, key=lambda each: abs(each - x))
        if spot is None:
            return
        self.chosen.emit(spot)
        if event.double():
            self.wanted.emit()


def _x(nodes: tuple[NodeKept, ...] | list[NodeKept]) -> np.ndarray:
    return np.array([node.node for node in nodes], float)


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def _extent(lines: tuple[Line, ...]) -> tuple:
    return tuple((line.folder, len(line.nodes)) for line in lines)


def _dress(curve: pg.PlotDataItem, look: dict) -> None:
    curve.setPen(None)
    curve.setSymbol(look["symbol"])
    curve.setSymbolSize(look["symbolSize"])
    curve.setSymbolPen(look["symbolPen"])
    curve.setSymbolBrush(look["symbolBrush"])
