"""Damping figure: agreement and losses against damping, and a line that is dragged."""

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import DecadeAxis, PowerAxis
from app.plots.legend import Entry, Legend
from engine.looking.damping import DampingPoint

ENTRIES = (
    Entry("Ranks", "validation", "dashed"),
    Entry("Removed set", "sparsity", "dashed"),
    Entry("Predicted loss", "test", "dashed"),
    Entry("By gradients left out", "learning_rate", "dashed"),
    Entry("Damping", "cut", "cut"),
    Entry("Suggested", "success", "cut"),
    Entry("Mean diagonal of F", "muted", "cut"),
)
AGREEMENTS = {"ranks": "validation", "overlap": "sparsity"}  # field -> palette
LOSSES = {"predicted": "test", "left_out": "learning_rate"}
LEAST = 90  # percent that the upper plot begins at, or below
AROUND = 0.4  # decades of loss above and below what gradients left out tell
STEP, STRIDE = 0.05, 0.5  # decades, per key and with Shift


class DampingFigure(base.Figure):
    """Dashed curves and hollow marks, because nothing of it is measured."""

    dragged = Signal(float)  # damping
    released = Signal()
    stepped = Signal(float)  # damping
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Curves against damping; arrow keys move the damping")
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._canvas.ci.layout.setVerticalSpacing(4)
        self._upper = base.plot_item("Same %", PowerAxis("bottom"))
        self._lower = base.plot_item("Loss", PowerAxis("bottom"), DecadeAxis("left"))
        self._upper.getAxis("bottom").setStyle(showValues=False)
        self._lower.setLabel("bottom", "Damping")
        self._lower.getAxis("bottom").setHeight(34)
        self._upper.setXLink(self._lower)
        self._damping: float | None = None
        self._suggested: float | None = None
        self._points: list[DampingPoint] = []
        self.curves: dict[str, pg.PlotDataItem] = {}
        self.marks = {}
        for row, (plot, names) in enumerate(
            ((self._upper, AGREEMENTS), (self._lower, LOSSES))
        ):
            self._canvas.addItem(plot, row, 0)
            for name in names:
                self.curves[name] = plot.plot(antialias=True)
                self.marks[name] = pg.ScatterPlotItem(size=9)
                self.marks[name].setZValue(20)
                plot.addItem(self.marks[name], ignoreBounds=True)
        plots = (self._upper, self._lower)
        self._means = [self._line(plot) for plot in plots]
        self._advised = [self._line(plot) for plot in plots]
        self.lines = [self._line(plot, movable=True) for plot in plots]
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    @property
    def held(self) -> bool:
        """Whether the mouse holds the line."""
        return any(line.moving for line in self.lines)

    def draw(self, points: list[DampingPoint], mean: float, movable: bool) -> None:
        """Show these curves, and the damping that equals the mean diagonal of F."""
        fresh = [p.damping for p in points] != [p.damping for p in self._points]
        self._points = list(points)
        x = np.log10([point.damping for point in points])
        for name, curve in self.curves.items():
            curve.setData(x, np.array(_heights(name, points)))
        for line in self._means:
            line.setVisible(mean > 0)
            line.setValue(math.log10(mean) if mean > 0 else 0)
        for line in self.lines:
            line.setMovable(movable)
        if fresh:
            self.reset_view()

    def place(self, shown: DampingPoint, suggested: float | None) -> None:
        """Put the line at this damping; one that the mouse holds stays in hand."""
        self._damping, self._suggested = shown.damping, suggested
        at = math.log10(shown.damping)
        for line in self.lines:
            if not line.moving:
                line.setValue(at)
        for name, mark in self.marks.items():
            mark.setData([at], [_height(name, shown)])
        for line in self._advised:
            line.setVisible(suggested is not None)
            line.setValue(math.log10(suggested) if suggested else 0)

    def reset_view(self) -> None:
        """Show agreements in full, and losses around those by gradients left out.

        What is predicted spans as many decades as the damping and would hide their
        shape.
        """
        if not self._points:
            return
        ends = [math.log10(self._points[i].damping) for i in (0, -1)]
        self._lower.setXRange(*ends, padding=0.02)
        low = min(min(_heights("ranks", self._points)), LEAST)
        low = min(low, *_heights("overlap", self._points))
        self._upper.setYRange(low, 100, padding=0.06)
        known = _heights("left_out", self._points)
        known = [height for height in known if math.isfinite(height)] or [0.0]
        self._lower.setYRange(min(known) - AROUND, max(known) + AROUND, padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        for plot in (self._upper, self._lower):
            base.recolour(plot, colours)
        for name, field in (AGREEMENTS | LOSSES).items():
            shade = getattr(colours, field)
            self.curves[name].setPen(base.line(shade, 1.6, Qt.PenStyle.DashLine))
            self.marks[name].setPen(pg.mkPen(shade, width=1.6))
            self.marks[name].setBrush(pg.mkBrush(colours.background))
        wide = 4 if self.hasFocus() else 2
        for line in self.lines:
            line.setPen(base.line(colours.cut, wide))
            line.setHoverPen(base.line(colours.cut, 5))
        for line in self._advised:
            line.setPen(base.line(colours.success, 2))
        for line in self._means:
            line.setPen(base.line(colours.muted, 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the damping, Escape lets go of the line."""
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        step = STRIDE if shift else STEP
        match Qt.Key(event.key()):
            case Qt.Key.Key_Left | Qt.Key.Key_Right if self._damping:
                sign = 1 if event.key() == Qt.Key.Key_Right else -1
                self.stepped.emit(self._damping * 10 ** (sign * step))
            case Qt.Key.Key_Escape if self.held:
                for line in self.lines:
                    line.moving = False
                self.cancelled.emit()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys move the line."""
        super().focusInEvent(event)
        self.recolour(palette.current())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys move it no longer."""
        super().focusOutEvent(event)
        self.recolour(palette.current())

    def _line(self, plot: pg.PlotItem, movable: bool = False) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=90, movable=movable)
        line.setZValue(10 if movable else 2)
        plot.addItem(line, ignoreBounds=True)
        if movable:
            line.sigDragged.connect(lambda it: self._drag(it))
            line.sigPositionChangeFinished.connect(lambda _: self.released.emit())
        return line

    def _drag(self, held: pg.InfiniteLine) -> None:
        self.setFocus()
        for line in self.lines:
            if line is not held:
                line.setValue(held.value())
        self.dragged.emit(10 ** held.value())

    def _clicked(self, event: object) -> None:
        self.setFocus()
        if event.double():
            self.reset_view()


def _height(name: str, point: DampingPoint) -> float:
    """Agreements in percent, losses as log10 (none where there is no loss)."""
    value = getattr(point, name)
    if name in AGREEMENTS:
        return 100 * value
    return math.log10(value) if value > 0 else math.nan


def _heights(name: str, points: list[DampingPoint]) -> list[float]:
    return [_height(name, point) for point in points]
