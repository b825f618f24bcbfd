"""Accuracy against sparsity, a curve per method that grows with the cells."""

from collections.abc import Iterable
from html import escape

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis
from app.plots.looks import look
from engine.comparing.cells import Group


class CompareFigure(base.Figure):
    """Means over seeds, bars of one standard deviation, and the dense network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups: tuple[Group, ...] = ()
        self._dense_value: float | None = None
        self._canvas = pg.GraphicsLayoutWidget()
        self._plot = base.plot_item("Test accuracy %", NumberAxis("bottom"))
        self._plot.setLabel("bottom", "Sparsity %")
        self._canvas.addItem(self._plot)
        self._dense = pg.InfiniteLine(angle=0)
        self._curves: list[pg.PlotDataItem] = []
        self._bars: list[pg.ErrorBarItem] = []
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self.legend = QLabel(wordWrap=True)
        self.legend.setFont(base.small_font())
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    @property
    def curves(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(sparsities, accuracies) in percent of each method, as drawn."""
        return [curve.getData() for curve in self._curves]

    def draw(self, groups: Iterable[Group], dense: float | None) -> None:
        """Show these means; a group without a measured cell is left out."""
        self._groups = tuple(groups)
        self._dense_value = dense
        self._plot.clear()
        self._curves, self._bars = [], []
        if dense is not None:
            self._dense.setValue(dense)
            self._plot.addItem(self._dense)
        for method in self._methods():
            known = [g for g in self._groups if g.method == method and g.final]
            x = np.array([100 * group.sparsity for group in known])
            y = np.array([group.final.mean for group in known])
            spread = np.array([group.final.deviation or 0.0 for group in known])
            self._curves.append(self._plot.plot(x, y, antialias=True))
            bars = pg.ErrorBarItem(x=x, y=y, height=2 * spread, beam=0.4)
            self._bars.append(bars)
            if spread.any():
                self._plot.addItem(bars)
        self.recolour(palette.current())

    def reset_view(self) -> None:
        """Show everything, and follow the cells again."""
        self._plot.enableAutoRange()

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        base.recolour(self._plot, colours)
        self._dense.setPen(base.line(colours.dense, 1, Qt.PenStyle.DashLine))
        words = []
        for number, method in enumerate(self._methods()):
            colour, style, (mark, sign) = look(number)
            curve = self._curves[number]
            curve.setPen(base.line(colour, 1.8, style))
            curve.setSymbol(mark)
            curve.setSymbolSize(8)
            curve.setSymbolPen(pg.mkPen(colour))
            curve.setSymbolBrush(pg.mkBrush(colour))
            self._bars[number].setData(pen=base.line(colour, 1.2))
            name = escape(method).replace(" ", "&nbsp;")
            words.append(f'<span style="color:{colour}">{sign}</span>&nbsp;{name}')
        if self._dense_value is not None:
            words.append(f'<span style="color:{colours.dense}">- -</span>&nbsp;Dense')
        if any(group.final and group.final.deviation for group in self._groups):
            words.append("Bars:&nbsp;standard&nbsp;deviation&nbsp;over&nbsp;seeds")
        text = " &nbsp; ".join(words)
        self.legend.setText(f'<span style="color:{colours.muted}">{text}</span>')

    def _methods(self) -> list[str]:
        return list(dict.fromkeys(group.method for group in self._groups))

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()
