"""Classes: accuracy of each class before and after, the one that loses most first."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis
from app.plots.class_axis import ClassAxis
from app.plots.legend import Entry, Legend
from engine.looking.classes import ClassChange

WIDTH = 0.38  # of a bar
IN_VIEW = 24  # classes at first
MEASURED = (
    Entry("Before", "training", "bar"),
    Entry("After", "validation", "bar"),
    Entry("Standard error of the change", "text", "cut"),
)
FORETOLD = (
    Entry("Before", "training", "bar"),
    Entry("With the masks of the next prune", "validation", "outline"),
    Entry("Standard error of the change", "text", "cut"),
)


class ClassesFigure(base.Figure):
    """Pairs of bars; the second is hollow while nothing is pruned."""

    chosen = Signal(int)  # row of a class in the order that is drawn

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = pg.GraphicsLayoutWidget()
        self._names = ClassAxis()
        self._plot = base.plot_item("Accuracy %", self._names, NumberAxis("left"))
        self._plot.showGrid(x=False, y=True, alpha=0.18)
        self._canvas.addItem(self._plot)
        self.before = pg.BarGraphItem(x=[], height=[], width=WIDTH)
        self.after = pg.BarGraphItem(x=[], height=[], width=WIDTH)
        self._errors = pg.ErrorBarItem(beam=0.12)
        for item in (self.before, self.after, self._errors):
            self._plot.addItem(item)
        self._count, self._hollow = 0, False
        self.legend = Legend(MEASURED)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self._canvas, 1)
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self.recolour(palette.current())

    def draw(self, classes: tuple[ClassChange, ...], hollow: bool) -> None:
        """Show these in this order; `hollow` where the second bar is foretold."""
        self._count, self._hollow = len(classes), hollow
        self.legend.set_entries(FORETOLD if hollow else MEASURED)
        self._names.set_names(tuple(each.name for each in classes))
        known = [(x, c) for x, c in enumerate(classes) if c.images]
        x = [float(place) for place, _ in known]
        befores, afters = (
            [each.accuracies[which] for _, each in known] for which in (0, 1)
        )
        self.before.setOpts(x=[at - WIDTH / 2 for at in x], height=befores)
        self.after.setOpts(x=[at + WIDTH / 2 for at in x], height=afters)
        errors = np.array([each.error for _, each in known])
        some = errors > 0  # and known
        self._errors.setData(
            x=np.array(x)[some] + WIDTH / 2,
            y=np.array(afters)[some],
            height=2 * errors[some],
        )
        self._plot.getViewBox().setLimits(xMin=-1, xMax=len(classes), yMin=-2, yMax=105)
        self.recolour(palette.current())
        self.reset_view()

    def reset_view(self) -> None:
        """Show the classes that lose most."""
        last = min(self._count, IN_VIEW) - 0.4
        self._plot.setXRange(-0.6, last, padding=0)
        self._plot.setYRange(0, 104, padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        base.recolour(self._plot, colours)
        self.before.setOpts(pen=None, brush=pg.mkBrush(colours.training))
        faint = palette.blend(colours.validation, palette.FAINT)
        self.after.setOpts(
            pen=base.line(colours.validation, 1.4),
            brush=pg.mkBrush(faint if self._hollow else colours.validation),
        )
        self._errors.setData(pen=base.line(colours.text, 1.2))

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()
            return
        at = self._plot.getViewBox().mapSceneToView(event.scenePos())
        row = round(at.x())
        if 0 <= row < self._count:
            self.chosen.emit(row)
