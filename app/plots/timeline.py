"""Timeline: a run's nodes in a row, its branches below, and what each has come to."""

import itertools

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import PercentAxis, WholeAxis
from app.plots.legend import Entry, Legend
from app.plots.marks import LabelAxis, VerticalLines
from app.records.timeline import Spot, mark, origins, shortened
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
COLOURS = {
    "dense": "dense", "prune": "sparsity", "repair": "learning_rate",
    "epoch": "training", "end": "dense",
}  # fmt: skip
SIZES = {"epoch": 7}  # pixels; other nodes are larger
LARGE = 11
STEPS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip
LANES = 6  # of branches that are in view at first


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
        self._origins: list[Spot] = []
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._measures = base.plot_item("%", WholeAxis("bottom"), PercentAxis("left"))
        self._labels = LabelAxis()
        self._measures.setAxisItems({"top": self._labels})
        self._measures.getAxis("bottom").setStyle(showValues=False)
        self._tree = base.plot_item("Runs", WholeAxis("bottom"))
        self._tree.getAxis("left").setStyle(showValues=False, tickLength=0)
        self._tree.showGrid(x=True, y=False, alpha=0.18)
        self._tree.setLabel("bottom", "Node")
        self._tree.setXLink(self._measures)
        for number, plot in enumerate((self._measures, self._tree)):
            self.canvas.addItem(plot, number, 0)
            self.canvas.ci.layout.setRowStretchFactor(number, 3 - number)
        self._beside = pg.PlotDataItem(connect="finite")
        self._sparsity = pg.PlotDataItem()
        self._planned = pg.PlotDataItem()
        self._accuracy = {split: pg.PlotDataItem() for split in ("validation", "test")}
        drawn = (self._beside, self._planned, self._sparsity)
        for item in (*drawn, *self._accuracy.values()):
            self._measures.addItem(item)
        self._stems = pg.PlotDataItem(connect="pairs")
        self._nodes = {
            kind: pg.ScatterPlotItem(
                size=SIZES.get(kind, LARGE), symbol="s" if kind == "end" else "o"
            )
            for kind in COLOURS
        }
        self._ring = pg.ScatterPlotItem(size=19)
        self._coming = pg.ScatterPlotItem(size=LARGE)
        for item in (self._stems, *self._nodes.values(), self._coming, self._ring):
            item.setZValue(0 if item is self._stems else 10)  # names stand between
            self._tree.addItem(item)
        self._names: list[pg.TextItem] = []
        self._here = [VerticalLines(), VerticalLines()]
        for plot, lines in zip((self._measures, self._tree), self._here, strict=True):
            plot.addItem(lines)
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
            self._origins = origins(lines)
            self._draw_all()
        self._point()
        if fresh:
            self.reset_view()

    def reset_view(self) -> None:
        """Show every node, and the first of the branches."""
        ends = [line.nodes[-1].node for line in self._lines] or [1]
        last = max(*ends, ends[0] + len(self._ahead), 1)
        self._measures.setXRange(0, last, padding=0.04)
        self._measures.setYRange(0, 100, padding=0.06)
        shown = min(max(len(self._lines), 2), LANES)
        self.canvas.ci.layout.setRowStretchFactor(1, shown)
        self._tree.setYRange(0.5 - shown, 0.9, padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self.canvas.setBackground(colours.background)
        for plot in (self._measures, self._tree):
            base.recolour(plot, colours)
        _dress(self._sparsity, base.solid(colours.sparsity, 6))
        self._sparsity.setPen(base.line(colours.sparsity, 1.6))
        _dress(self._planned, base.hollow(colours.sparsity, 8))
        for split, points in self._accuracy.items():
            _dress(points, base.solid(getattr(colours, split), 7))
        _dress(self._beside, base.solid(colours.muted, 4))
        self._beside.setPen(base.line(palette.blend(colours.muted, 0.5), 1))
        self._stems.setPen(base.line(colours.muted, 1.4))
        self._coming.setPen(pg.mkPen(colours.sparsity, width=1.4))
        self._coming.setBrush(None)
        self._ring.setPen(pg.mkPen(colours.cut, width=2))
        self._ring.setBrush(None)
        for lines in self._here:
            lines.set_pen(base.line(colours.cut, 1, Qt.PenStyle.DotLine))
        for kind, points in self._nodes.items():
            colour = getattr(colours, COLOURS[kind])
            points.setPen(pg.mkPen(colour))
            points.setBrush(pg.mkBrush(colour))
        for number, name in enumerate(self._names):
            _colour(name, number, colours)

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
        at = self._tree.vb.mapViewToScene(QPointF(*self._position(spot)))
        return self.canvas.mapFromScene(at)

    def _draw_all(self) -> None:
        own, ahead = self._lines[0].nodes, self._ahead
        self._sparsity.setData(_x(own), np.array([100 * n.sparsity for n in own]))
        for split, points in self._accuracy.items():
            some = [n for n in own if n.split == split]
            points.setData(_x(some), np.array([n.accuracy for n in some], float))
        coming = own[-1].node + 1 + np.arange(len(ahead), dtype=float)
        self._planned.setData(coming, 100 * np.array(ahead, float))
        self._coming.setData(coming, np.zeros(len(ahead)))
        self._draw_beside()
        self._labels.set_labels({float(n.node): mark(n) for n in own})
        self._draw_tree()

    def _draw_beside(self) -> None:
        """Accuracies of the other runs, where they are on their own."""
        x, y = [], []
        for number, line in enumerate(self._lines[1:], 1):
            own = line.nodes[max(self._origins[number][1], 0) :]
            x += [*(float(node.node) for node in own), np.nan]
            y += [_known(node.accuracy) for node in own] + [np.nan]
        self._beside.setData(np.array(x, float), np.array(y, float))

    def _draw_tree(self) -> None:
        places: dict[str, list[tuple[float, float]]] = {kind: [] for kind in COLOURS}
        stems: list[tuple[float, float]] = []
        for name in self._names:
            self._tree.removeItem(name)
        self._names = []
        for number, line in enumerate(self._lines):
            parent, first = self._origins[number]
            path = [(float(first), float(-parent))] if first >= 0 else []
            for node in line.nodes:
                if node.node > first:
                    path.append((float(node.node), float(-number)))
                    places[node.kind].append(path[-1])
            for pair in itertools.pairwise(path):
                stems += pair
            at = next((p for p in path if p[1] == -number), (first, -number))
            self._names.append(self._name(line, number, at))
        self._stems.setData(*np.array(stems or np.zeros((0, 2))).T)
        for kind, found in places.items():
            self._nodes[kind].setData(*np.array(found or np.zeros((0, 2))).T)

    def _point(self) -> None:
        """Mark the chosen node."""
        x, y = self._position(self._spot)
        self._ring.setData([x], [y])
        for lines in self._here:
            lines.set_at([x])

    def _name(self, line: Line, number: int, at: tuple[float, float]) -> pg.TextItem:
        name = shortened(line.folder.name)
        text = pg.TextItem(name if number else f"{name} (shown)", anchor=(0, 1.15))
        text.setFont(base.small_font())
        text.setPos(*at)
        text.setZValue(5)
        self._tree.addItem(text, ignoreBounds=True)
        _colour(text, number, palette.current())
        return text

    def _position(self, spot: Spot) -> tuple[float, float]:
        """Where a node is drawn; what is shared stands on the line it parted from."""
        number, node = spot
        while number:
            parent, first = self._origins[number]
            if node > first:
                break
            number = parent
        return float(node), float(-number)

    def _clicked(self, event: object) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if not self._lines:
            return
        at, line = event.scenePos(), 0
        if self._tree.sceneBoundingRect().contains(at):
            point = self._tree.vb.mapSceneToView(at)
            line = min(max(round(-point.y()), 0), len(self._lines) - 1)
            first = self._origins[line][1]
            nodes = [n.node for n in self._lines[line].nodes if n.node > first]
        else:
            point = self._measures.vb.mapSceneToView(at)
            nodes = [n.node for n in self._lines[0].nodes]
        if not nodes:
            return
        self.chosen.emit((line, min(nodes, key=lambda each: abs(each - point.x()))))
        if event.double():
            self.wanted.emit()


def _colour(name: pg.TextItem, number: int, colours: Palette) -> None:
    """The run on show stands out."""
    name.setColor(colours.muted if number else colours.text)
    name.fill = pg.mkBrush(palette.blend(colours.background, 0.8))


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
