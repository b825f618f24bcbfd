"""Run tree: the nodes of runs, every run on a line of its own below its origin."""

import itertools

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import WholeAxis
from app.plots.marks import VerticalLines
from app.records.timeline import Spot, origins, shortened
from engine.records.timeline import Line

COLOURS = {
    "dense": "dense", "prune": "sparsity", "repair": "learning_rate",
    "epoch": "training", "end": "dense",
}  # fmt: skip
SIZES = {"epoch": 7}  # pixels; other nodes are larger
LARGE = 11
LANES = 6  # of branches that are in view at first


class RunTree:
    """Line 0, the run on show, is at y = 0; each further line is one lower.

    Attributes:
        plot: Where it is drawn; x counts nodes.
        origins: Where each line parts from another.
    """

    def __init__(self) -> None:
        self._lines: tuple[Line, ...] = ()
        self.origins: list[Spot] = []
        self.plot = base.plot_item("Runs", WholeAxis("bottom"))
        self.plot.getAxis("left").setStyle(showValues=False, tickLength=0)
        self.plot.showGrid(x=True, y=False, alpha=0.18)
        self.plot.setLabel("bottom", "Node")
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
            self.plot.addItem(item)
        self._names: list[pg.TextItem] = []
        self._here = VerticalLines()
        self.plot.addItem(self._here)

    @property
    def lanes(self) -> int:
        """How many lines there is room for at first."""
        return min(max(len(self._lines), 2), LANES)

    def draw(self, lines: tuple[Line, ...], coming: np.ndarray) -> None:
        """Show runs.

        Args:
            lines: With at least one node each.
            coming: Where the prunes are that are planned for the first.
        """
        self._lines, self.origins = lines, origins(lines)
        self._coming.setData(coming, np.zeros(len(coming)))
        places: dict[str, list[tuple[float, float]]] = {kind: [] for kind in COLOURS}
        stems: list[tuple[float, float]] = []
        for name in self._names:
            self.plot.removeItem(name)
        self._names = []
        for number, line in enumerate(lines):
            parent, first = self.origins[number]
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

    def point(self, spot: Spot) -> None:
        """Mark a node."""
        x, y = self._position(spot)
        self._ring.setData([x], [y])
        self._here.set_at([x])

    def reset_view(self) -> None:
        """Show the first of the lines."""
        self.plot.setYRange(0.5 - self.lanes, 0.9, padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        base.recolour(self.plot, colours)
        self._stems.setPen(base.line(colours.muted, 1.4))
        self._coming.setPen(pg.mkPen(colours.sparsity, width=1.4))
        self._coming.setBrush(None)
        self._ring.setPen(pg.mkPen(colours.cut, width=2))
        self._ring.setBrush(None)
        self._here.set_pen(base.line(colours.cut, 1, Qt.PenStyle.DotLine))
        for kind, points in self._nodes.items():
            colour = getattr(colours, COLOURS[kind])
            points.setPen(pg.mkPen(colour))
            points.setBrush(pg.mkBrush(colour))
        for number, name in enumerate(self._names):
            _colour(name, number, colours)

    def place_of(self, spot: Spot) -> QPointF:
        """Where a node is in the scene."""
        return self.plot.vb.mapViewToScene(QPointF(*self._position(spot)))

    def nearest(self, scene: QPointF) -> Spot | None:
        """The node next to a place of the scene, of the line that is there."""
        at = self.plot.vb.mapSceneToView(scene)
        line = min(max(round(-at.y()), 0), len(self._lines) - 1)
        first = self.origins[line][1]
        nodes = [n.node for n in self._lines[line].nodes if n.node > first]
        if not nodes:
            return None
        return line, min(nodes, key=lambda each: abs(each - at.x()))

    def _name(self, line: Line, number: int, at: tuple[float, float]) -> pg.TextItem:
        name = shortened(line.folder.name)
        text = pg.TextItem(name if number else f"{name} (shown)", anchor=(0, 1.15))
        text.setFont(base.small_font())
        text.setPos(*at)
        text.setZValue(5)
        self.plot.addItem(text, ignoreBounds=True)
        _colour(text, number, palette.current())
        return text

    def _position(self, spot: Spot) -> tuple[float, float]:
        """Where a node is drawn; what is shared stands on the line it parted from."""
        number, node = spot
        while number:
            parent, first = self.origins[number]
            if node > first:
                break
            number = parent
        return float(node), float(-number)


def _colour(name: pg.TextItem, number: int, colours: Palette) -> None:
    """The run on show stands out."""
    name.setColor(colours.muted if number else colours.text)
    name.fill = pg.mkBrush(palette.blend(colours.background, 0.8))
