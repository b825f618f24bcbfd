"""Sensitivity: each layer's predicted loss against its sparsity, one of them chosen."""

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

ENTRIES = (
    Entry("Predicted loss of a layer", "training", "dashed"),
    Entry("Of the chosen layer", "sparsity", "dashed"),
    Entry("Where the next prune would go", "cut", "hollow"),
)
DECADES = 6  # of loss that are in view at first


class SensitivityFigure(base.Figure):
    """Dashed curves, because nothing of them is measured; hollow marks on them."""

    layer_chosen = Signal(str)  # full parameter name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = pg.GraphicsLayoutWidget()
        self._plot = base.plot_item(
            "Predicted loss increase", NumberAxis("bottom"), PowerAxis("left")
        )
        self._plot.setLabel("bottom", "Sparsity of the layer %")
        self._canvas.addItem(self._plot)
        self._marks = pg.ScatterPlotItem(size=8)
        self.curves: dict[str, pg.PlotDataItem] = {}
        self._chosen = ""
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self._marks.sigClicked.connect(lambda _, points, __: self._mark(points))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(self, steering: Steering, chosen: str) -> None:
        """Show every layer of the forecast."""
        self._chosen = chosen
        fresh = list(self.curves) != list(steering.names())
        if fresh:
            self._make(steering.names())
        spots = []
        for name, curve in self.curves.items():
            x, y = _logarithmic(*steering.curve(name))
            curve.setData(x, y)
            x, y = _logarithmic(
                np.array([steering.sparsity(name)]), np.array([steering.loss(name)])
            )
            spots += [{"pos": at, "data": name} for at in zip(x, y, strict=True)]
        self._marks.setData(spots)
        self.recolour(palette.current())
        if fresh:
            self.reset_view()

    def reset_view(self) -> None:
        """Show the upper decades of all curves; the first weights cost next to none."""
        ends = [curve.getData()[1] for curve in self.curves.values()]
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
        self._marks.setPen(pg.mkPen(colours.cut, width=1.4))
        self._marks.setBrush(None)

    def _make(self, names: tuple[str, ...]) -> None:
        self._plot.clear()
        self.curves = {}
        for name in names:
            curve = self._plot.plot(antialias=True)
            curve.curve.setClickable(True, 8)
            curve.sigClicked.connect(lambda *_, n=name: self.layer_chosen.emit(n))
            self.curves[name] = curve
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
