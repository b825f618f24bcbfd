"""Promises figure: predicted and measured loss of every prune, and their ratio."""

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import RatioAxis, WholeAxis
from app.plots.legend import Entry, Legend
from app.plots.marks import VerticalLines
from app.records.promises import BAND, Promise, Promises
from app.tables.units import SURE

ENTRIES = (
    Entry("Predicted, sum of saliencies", "sparsity", "hollow"),
    Entry("Predicted, exact joint", "learning_rate", "hollow"),
    Entry("Measured on calibration images", "test", "point"),
    Entry("Measured on held-out images", "validation", "point"),
    Entry("The same, undone and halved", "cut", "point"),
    Entry(f"Promise kept within a factor of {BAND:g}", "success", "bar"),
)
PREDICTED = {"summed": "sparsity", "joint": "learning_rate"}  # -> palette
MEASURED = {"calibration": "test", "held_out": "validation"}
BESIDE = {"summed": -0.12, "joint": -0.04, "calibration": 0.04, "held_out": 0.12}
NARROWEST = math.log10(4)  # half of what the ratios' axis spans at least


class PromisesFigure(base.Figure):
    """Two plots over the prunes: loss changes, and measured over predicted."""

    chosen = Signal(int)  # number of the prune that was clicked

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._promises: list[Promise] = []
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._canvas.ci.layout.setVerticalSpacing(5)
        self._losses = base.plot_item("Loss change", WholeAxis("bottom"))
        self._ratios = base.plot_item(
            "Measured / pred.", WholeAxis("bottom"), RatioAxis("left")
        )
        self._losses.getAxis("bottom").setStyle(showValues=False)
        self._ratios.setLabel("bottom", "Prune")
        self._ratios.getAxis("bottom").setHeight(34)
        self._ratios.setXLink(self._losses)
        for row, plot in enumerate((self._losses, self._ratios)):
            self._canvas.addItem(plot, row, 0)
        self._zero, self._one = (pg.InfiniteLine(angle=0) for _ in range(2))
        self._band = pg.LinearRegionItem(
            (-math.log10(BAND), math.log10(BAND)), "horizontal", movable=False
        )
        for line in self._band.lines:
            line.setPen(pg.mkPen(None))
        self._ratios.addItem(self._band, ignoreBounds=True)
        self._ratios.addItem(self._one, ignoreBounds=True)
        self._losses.addItem(self._zero, ignoreBounds=True)
        self._marks = [VerticalLines(), VerticalLines()]
        self._losses.addItem(self._marks[0])
        self._ratios.addItem(self._marks[1])
        self._bars = {name: pg.ErrorBarItem(beam=0.05) for name in MEASURED}
        for bars in self._bars.values():
            self._losses.addItem(bars)
        self._points = {n: self._losses.plot() for n in (*PREDICTED, *MEASURED)}
        self._undone = self._losses.plot()
        self._found = {name: self._ratios.plot() for name in MEASURED}
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(self, promises: Promises, kind: str, selected: int) -> None:
        """Show every prune, ratios to the `kind` of prediction, one prune marked."""
        fresh = [each.step for each in promises.all] != [p.step for p in self._promises]
        self._promises = promises.all
        for name, points in self._points.items():
            points.setData(*self._known(name))
        for name, bars in self._bars.items():
            self._draw_bars(bars, name)
        self._draw_undone(promises)
        drawn = [each.ratio(kind, name) for each in self._promises for name in MEASURED]
        rises = [math.log10(ratio) for ratio in drawn if ratio and 0 < ratio < math.inf]
        low, high = min(rises, default=0.0) - 0.15, max(rises, default=0.0) + 0.15
        low, high = min(low, -NARROWEST), max(high, NARROWEST)
        for name, points in self._found.items():
            self._draw_ratios(points, name, kind, low)
        for marks in self._marks:
            marks.set_at([float(selected)])
        self._ratios.setYRange(low, high, padding=0.04)
        if fresh:
            self.reset_view()

    def reset_view(self) -> None:
        """Show every prune."""
        steps = [each.step for each in self._promises] or [1]
        self._losses.setXRange(min(steps) - 0.5, max(steps) + 0.5, padding=0.02)
        self._losses.enableAutoRange(y=True)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        for plot in (self._losses, self._ratios):
            base.recolour(plot, colours)
        self._band.setBrush(pg.mkBrush(palette.blend(colours.success, 0.16)))
        for line in (self._zero, self._one):
            line.setPen(base.line(colours.muted, 1))
        for marks in self._marks:
            marks.set_pen(base.line(colours.muted, 1, Qt.PenStyle.DotLine))
        for name, colour in PREDICTED.items():
            _dress(self._points[name], base.hollow(getattr(colours, colour), 8))
        _dress(self._undone, base.solid(colours.cut))
        for name, colour in MEASURED.items():
            shade = getattr(colours, colour)
            _dress(self._points[name], base.solid(shade))
            _dress(self._found[name], base.solid(shade))
            self._found[name].setPen(base.line(palette.blend(shade, 0.5), 1))
            self._bars[name].setData(pen=base.line(shade, 1.2))

    def _known(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of the prunes for which a number is known and can be drawn."""
        pairs = [
            (each.step + BESIDE[name], value)
            for each in self._promises
            if (value := getattr(each, name)) is not None and math.isfinite(value)
        ]
        x, y = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(x, float), np.array(y, float)

    def _draw_bars(self, bars: pg.ErrorBarItem, name: str) -> None:
        known = [p for p in self._promises if getattr(p, f"{name}_error")]
        known = [p for p in known if math.isfinite(getattr(p, name))]
        spread = [2 * SURE * getattr(p, f"{name}_error") for p in known]
        bars.setData(
            x=np.array([p.step + BESIDE[name] for p in known], float),
            y=np.array([getattr(p, name) for p in known], float),
            height=np.array(spread, float),
        )

    def _draw_undone(self, promises: Promises) -> None:
        known = [each for each in promises.undone if math.isfinite(each.calibration)]
        x = [each.step + BESIDE["calibration"] for each in known]
        y = [each.calibration for each in known]
        self._undone.setData(np.array(x, float), np.array(y, float))

    def _draw_ratios(
        self, points: pg.PlotDataItem, name: str, kind: str, low: float
    ) -> None:
        """A loss that did not rise has no place on a log axis: an arrow at its foot."""
        x, y, symbols = [], [], []
        for each in self._promises:
            ratio = each.ratio(kind, name)
            if ratio is None or not math.isfinite(ratio):
                continue
            x.append(each.step + BESIDE[name])
            y.append(math.log10(ratio) if ratio > 0 else low)
            symbols.append("o" if ratio > 0 else "t")
        points.setData(np.array(x, float), np.array(y, float), symbol=symbols or "o")

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()
            return
        at = self._losses.vb.mapSceneToView(event.scenePos()).x()
        if self._promises:
            nearest = min(self._promises, key=lambda each: abs(each.step - at))
            self.chosen.emit(nearest.step)


def _dress(curve: pg.PlotDataItem, look: dict) -> None:
    curve.setPen(None)
    curve.setSymbolSize(look["symbolSize"])
    curve.setSymbolPen(look["symbolPen"])
    curve.setSymbolBrush(look["symbolBrush"])
    if curve.opts["symbol"] is None:
        curve.setSymbol(look["symbol"])
