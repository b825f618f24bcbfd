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
    Entry("Measured, a layer cut alone", "training", "line+point"),
    Entry("Predicted loss of a layer", "training", "dashed"),
    Entry("Of the chosen layer", "sparsity", "line"),
    Entry("Where the next prune would go", "cut", "hollow"),
)
DECADES = 6  # of loss that are in view at first


class SensitivityFigure(base.Figure):
    """Dashed curves of what is predicted, hollow marks on them; solid what is measured.

    A measured loss that did not rise has no place on the logarithmic axis.
    """

    layer_chosen = Signal(str)  # full parameter name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = pg.GraphicsLayoutWidget()
        self._plot = base.plot_item(
            "Loss increase", NumberAxis("bottom"), PowerAxis("left")
        )
        self._plot.setLabel("bottom", "Sparsity of the layer %")
        self._canvas.addItem(self._plot)
        self._marks = pg.ScatterPlotItem(size=8)
        self.curves: dict[str, pg.PlotDataItem] = {}
        self.measured: dict[str, pg.PlotDataItem] = {}
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
            x, y = _logarithmic(*steering.curve(name))
            curve.setData(x, y)
            loss = steering.loss(name)
            x, y = _logarithmic(
                np.array([steering.sparsity(name)]),
                np.array([0.0 if loss is None else loss]),
            )
            spots += [{"pos": at, "data": name} for at in zip(x, y, strict=True)]
        for name, curve in self.measured.items():
            found = measured.get(name)
            told = (found.sparsities, found.losses) if found else ((), ())
            curve.setData(*_logarithmic(*(np.array(each) for each in told)))
        self._marks.setData(spots)
        self.recolour(palette.current())
        if fresh:
            self.reset_view()

    def reset_view(self) -> None:
        """Show the upper decades of all curves; the first weights cost next to none."""
        every = (*self.curves.values(), *self.measured.values())
        ends = [curve.getData()[1] for curve in every]
        top = max((float(y[-1]) for y in ends if y is not None and len(y)), default=0.0)
        self._plot.setXRange(0, 100, padding=0.02)
        self._plot.setYRange(top - DECADES, top + 0.3, padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        base.recolour(self._plot, colours)
        for name, curve in self.curves.items():
            chosen = name == self._chosen
            colour = colours.sparsity if chosen else colours.training
            dashed = Qt.PenStyle.DashLine
            curve.setPen(base.line(colour, 2.4 if chosen else 1.0, dashed))
            curve.setZValue(5 if chosen else 0)
            solid = self.measured[name]
            solid.setPen(base.line(colour, 2.4 if chosen else 1.2))
            solid.setZValue(6 if chosen else 1)
            look = base.solid(colour, 7 if chosen else 5)
            solid.setSymbolSize(look["symbolSize"])
            solid.setSymbolPen(look["symbolPen"])
            solid.setSymbolBrush(look["symbolBrush"])
        self._marks.setPen(pg.mkPen(colours.cut, width=1.4))
        self._marks.setBrush(None)

    def _make(self, names: tuple[str, ...]) -> None:
        self._plot.clear()
        self.curves, self.measured = {}, {}
        for name in names:
            for kind in (self.curves, self.measured):
                symbol = "o" if kind is self.measured else None
                curve = self._plot.plot(antialias=True, symbol=symbol)
                curve.curve.setClickable(True, 8)
                curve.sigClicked.connect(lambda *_, n=name: self.layer_chosen.emit(n))
                kind[name] = curve
        self._plot.addItem(self._marks)
        self._marks.setZValue(10)

    def _mark(self, points: list) -> None:
        for point in points[:1]:
            self.layer_chosen.emit(point.data())

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()


def _logarithmic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In percent and log10, where there is a loss at all."""
    some = y > 0
    return 100 * x[some], np.log10(y[some])
