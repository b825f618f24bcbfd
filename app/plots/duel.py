"""Duel figure: a map of a layer's disputed weights, and what a probe measured."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis
from app.plots.legend import Entry, Legend
from engine import Duel
from engine.looking.dispute import BEFORE, FIRST, GOES, RIVAL, STAYS

COLOURS = {
    GOES: "training", STAYS: "grid", FIRST: "sparsity", RIVAL: "test",
    BEFORE: "background",
}  # fmt: skip
PLACES = ("dense", "agreed", "first", "rival")
SPOTS = 2000  # disputed weights of a layer that get a spot besides their pixel
TALL = 112  # pixels of the probe's plot


class DuelFigure(base.Figure):
    """Rows are output channels, columns their weights; solid marks are measured."""

    pointed = Signal(str)  # words on the weight under the mouse

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duel: Duel | None = None
        self._name = ""
        self._legend = Legend(_entries("the first", "its rival"))
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._map = base.plot_item("Channel", NumberAxis("bottom"))
        self._map.setLabel("bottom", "Weight of the channel")
        self._map.getAxis("bottom").setHeight(34)
        self._map.getViewBox().invertY(True)
        self._map.showGrid(x=False, y=False)
        self.picture = pg.ImageItem(axisOrder="row-major")
        self._map.addItem(self.picture)
        self.spots = {code: pg.ScatterPlotItem(size=4) for code in (FIRST, RIVAL)}
        for spots in self.spots.values():
            spots.setPen(None)
            self._map.addItem(spots)
        self._probe = base.plot_item("Acc. %", pg.AxisItem("bottom"))
        self._probe.getAxis("bottom").setHeight(38)
        self._probe.setMouseEnabled(x=False, y=False)
        self._probe.getViewBox().setLimits(yMin=-8, yMax=108)
        self.points = pg.ScatterPlotItem(size=9)
        self._probe.addItem(self.points)
        self._canvas.addItem(self._map, 0, 0)
        self._canvas.addItem(self._probe, 1, 0)
        self._probe.setFixedHeight(TALL)
        self._canvas.scene().sigMouseMoved.connect(self._point)
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(self._legend)
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(self, duel: Duel, name: str) -> None:
        """Show the map of this layer, and the probe."""
        fresh = (duel, name) != (self._duel, self._name)
        self._duel, self._name = duel, name
        self._legend.set_entries(_entries(duel.first, duel.rival))
        names = ("Dense", "Agreed gone", duel.first, duel.rival)
        heights = [getattr(duel.probe, place).accuracy for place in PLACES]
        ticks = [f"{n}\n{h:.1f} %" for n, h in zip(names, heights, strict=True)]
        self._probe.getAxis("bottom").setTicks([list(enumerate(ticks))])
        self._probe.setXRange(-0.5, len(PLACES) - 0.5, padding=0)
        spread = max(max(heights) - min(heights), 1.0)
        self._probe.setYRange(
            min(heights) - 0.2 * spread, max(heights) + 0.2 * spread, padding=0
        )
        self.recolour(palette.current())
        if fresh:
            self._draw_spots()
            self.reset_view()

    def reset_view(self) -> None:
        """Show the whole layer."""
        if self._duel is not None:
            rows, columns = self._duel.maps[self._name].shape
            self._map.setXRange(0, columns, padding=0)
            self._map.setYRange(0, rows, padding=0.02)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        for plot in (self._map, self._probe):
            base.recolour(plot, colours)
        for code, spots in self.spots.items():
            spots.setBrush(pg.mkBrush(getattr(colours, COLOURS[code])))
        if self._duel is not None:
            fields = ("dense", "muted", COLOURS[FIRST], COLOURS[RIVAL])
            shades = [getattr(colours, field) for field in fields]
            heights = [getattr(self._duel.probe, place).accuracy for place in PLACES]
            self.points.setData(
                list(range(len(PLACES))),
                heights,
                pen=[pg.mkPen(shade) for shade in shades],
                brush=[pg.mkBrush(shade) for shade in shades],
            )
            table = np.zeros((len(COLOURS), 3), np.uint8)
            for code, field in COLOURS.items():
                table[code] = QColor(getattr(colours, field)).getRgb()[:3]
            self.picture.setImage(table[self._duel.maps[self._name]], levels=(0, 255))

    def _draw_spots(self) -> None:
        """Few disputed weights among many would be lost between pixels."""
        for code, spots in self.spots.items():
            rows, columns = np.nonzero(self._duel.maps[self._name] == code)
            few = slice(None) if len(rows) <= SPOTS else slice(0)
            spots.setData(columns[few] + 0.5, rows[few] + 0.5)

    def _point(self, at: QPointF) -> None:
        words = ""
        if self._duel is not None and self._map.sceneBoundingRect().contains(at):
            place = self._map.getViewBox().mapSceneToView(at)
            codes = self._duel.maps[self._name]
            row, column = int(np.floor(place.y())), int(np.floor(place.x()))
            if 0 <= row < codes.shape[0] and 0 <= column < codes.shape[1]:
                said = {
                    GOES: "both remove it", STAYS: "both keep it",
                    FIRST: f"only {self._duel.first} removes it",
                    RIVAL: f"only {self._duel.rival} removes it",
                    BEFORE: "it was zero before",
                }  # fmt: skip
                words = f"Channel {row}, weight {column}: {said[codes[row, column]]}"
        self.pointed.emit(words)

    def _clicked(self, event: object) -> None:
        if event.double() and event.button() == Qt.MouseButton.LeftButton:
            self.reset_view()


def _entries(first: str, rival: str) -> tuple[Entry, ...]:
    return (
        Entry("Both remove", COLOURS[GOES], "bar"),
        Entry("Both keep", COLOURS[STAYS], "bar"),
        Entry(f"Only {first} removes", COLOURS[FIRST], "bar"),
        Entry(f"Only {rival} removes", COLOURS[RIVAL], "bar"),
        Entry("Measured accuracy", "dense", "point"),
    )
