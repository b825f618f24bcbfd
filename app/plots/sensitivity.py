"""Sensitivity: each layer's loss against its sparsity, predicted and measured."""

from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis, PowerAxis
from app.plots.legend import Entry, Legend
from app.steering.steering import Steering
from engine.steering.events import LayerMeasured

ENTRIES = (
    Entry("Predicted loss of a layer", "training", "dashed"),
    Entry("Measured, a layer cut alone", "training", "line+point"),
    Entry("Of the chosen layer", "sparsity", "line"),
    Entry("Where the next prune would go", "cut", "hollow"),
)
DECADES = 6  # of loss that are in view at first
Curves = dict[str, pg.PlotDataItem]


class SensitivityFigure(base.Figure):
    """Dashed curves of what is predicted, hollow marks on them; solid what is measured.

    Accuracies have a plot of their own below as soon as some were measured. A measured
    loss that did not rise has no place on the logarithmic axis.
    """

    layer_chosen = Signal(str)  # full parameter name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._canvas.ci.layout.setVerticalSpacing(5)
        self._plot = base.plot_item(
            "Loss increase", NumberAxis("bottom"), PowerAxis("left")
        )
        self._below = base.plot_item("Accuracy %", NumberAxis("bottom"))
        self._below.setXLink(self._plot)
        self._canvas.addItem(self._plot, 0, 0)
        for plot in (self._plot, self._below):
            plot.setLabel("bottom", "Sparsity of the layer %")
        self._canvas.ci.layout.setRowStretchFactor(0, 3)
        self._marks = pg.ScatterPlotItem(size=8)
        self._uncut = pg.InfiniteLine(angle=0)
        self._below.addItem(self._uncut)
        self.curves: Curves = {}
        self.measured: Curves = {}
        self.accuracies: Curves = {}
        self._known: tuple[str, ...] = ()  # measured layers on show
        self._chosen = ""
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self._marks.sigClicked.connect(lambda _, points, __: self._mark(points))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(
        self, steering: Steering, measured: Mapping[str, LayerMeasured], chosen: str
    ) -> None:
        """Show every layer of the forecast, and what was measured of some."""
        self._chosen = chosen
        fresh = list(self.curves) != list(steering.names())
        if fresh:
            self._make(steering.names())
        spots = []
        for name, curve in self.curves.items():
            curve.setData(*_logarithmic(*steering.curve(name)))
            loss = steering.loss(name)
            here = ((steering.sparsity(name),), (0.0 if loss is None else loss,))
            places = zip(*_logarithmic(*here), strict=True)
            spots += [{"pos": at, "data": name} for at in places]
        self._marks.setData(spots)
        known = {n: each for n, each in measured.items() if n in self.curves}
        self._draw_measured(known)
        self.recolour(palette.current())
        if fresh or tuple(known) != self._known:
            self._known = tuple(known)
            self.reset_view()

    def reset_view(self) -> None:
        """Show the upper decades of all curves; the first weights cost next to none."""
        every = (*self.curves.values(), *self.measured.values())
        ends = [curve.getData()[1] for curve in every]
        tops = [float(y.max()) for y in ends if y is not None and len(y)]
        top = max(tops, default=0.0)
        self._plot.setXRange(0, 100, padding=0.02)
        self._plot.setYRange(top - DECADES, top + 0.3, padding=0)
        self._below.enableAutoRange(y=True)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        for plot in (self._plot, self._below):
            base.recolour(plot, colours)
        for name, curve in self.curves.items():
            chosen = name == self._chosen
            colour = colours.sparsity if chosen else colours.training
            dashed = Qt.PenStyle.DashLine
            curve.setPen(base.line(colour, 2.4 if chosen else 1.0, dashed))
            curve.setZValue(5 if chosen else 0)
            look = base.solid(colour, 7 if chosen else 5)
            for solid in (self.measured[name], self.accuracies[name]):
                solid.setPen(base.line(colour, 2.4 if chosen else 1.2))
                solid.setZValue(6 if chosen else 1)
                solid.setSymbolSize(look["symbolSize"])
                solid.setSymbolPen(look["symbolPen"])
                solid.setSymbolBrush(look["symbolBrush"])
        self._uncut.setPen(base.line(colours.dense, 1, Qt.PenStyle.DashLine))
        self._marks.setPen(pg.mkPen(colours.cut, width=1.4))
        self._marks.setBrush(None)

    def _draw_measured(self, measured: Mapping[str, LayerMeasured]) -> None:
        shown = self._below.scene() is not None
        if bool(measured) != shown:
            change = self._canvas.removeItem if shown else self._canvas.addItem
            change(self._below, *(() if shown else (1, 0)))
            rest = 2 if measured else 0  # a row keeps its share when it is empty
            self._canvas.ci.layout.setRowStretchFactor(1, rest)
            self._plot.getAxis("bottom").setStyle(showValues=not measured)
            self._plot.getAxis("bottom").showLabel(not measured)
        for name, curve in self.measured.items():
            found = measured.get(name)
            losses = (found.sparsities, found.losses) if found else ((), ())
            curve.setData(*_logarithmic(*losses))
            shares = 100 * np.array(losses[0])
            self.accuracies[name].setData(shares, found.accuracies if found else ())
        for found in measured.values():
            self._uncut.setValue(found.dense)

    def _make(self, names: tuple[str, ...]) -> None:
        self._plot.clear()
        for each in self.accuracies.values():
            self._below.removeItem(each)
        self.curves = {name: self._curve(self._plot, name, None) for name in names}
        self.measured = {name: self._curve(self._plot, name, "o") for name in names}
        self.accuracies = {n: self._curve(self._below, n, "o") for n in names}
        self._plot.addItem(self._marks)
        self._marks.setZValue(10)

    def _curve(
        self, plot: pg.PlotItem, name: str, symbol: str | None
    ) -> pg.PlotDataItem:
        curve = plot.plot(antialias=True, symbol=symbol)
        curve.curve.setClickable(True, 8)
        curve.sigClicked.connect(lambda *_: self.layer_chosen.emit(name))
        return curve

    def _mark(self, points: list) -> None:
        for point in points[:1]:
            self.layer_chosen.emit(point.data())

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()


def _logarithmic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In percent and log10, where there is a loss at all."""
    x, y = np.asarray(x), np.asarray(y)
    some = y > 0
    return 100 * x[some], np.log10(y[some])
