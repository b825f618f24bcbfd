"""Curves: loss, accuracy, sparsity and learning rate of a run over one x axis."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis, PercentAxis, ProgressAxis
from app.plots.legend import Entry, Legend
from app.plots.marks import LabelAxis, VerticalLines
from app.records.curves import Record
from app.records.series import Series

ENTRIES = (
    Entry("Training", "training", "line"),
    Entry("Validation", "validation", "line+point"),
    Entry("Test", "test", "point"),
    Entry("Dense", "dense", "dashed"),
    Entry("Pruned", "sparsity", "line+point"),
    Entry("Planned", "sparsity", "hollow"),
)
TITLES = ("Loss", "Accuracy %", "Sparsity %", "LR")  # short, as plots may be low
STRETCH = (4, 4, 3, 3)
WORDS = {"epoch": "Epochs of fine-tuning", "seconds": "Seconds of work"}
MANY = 2000  # points beyond which smooth edges cost more than they show


class CurvesFigure(base.Figure):
    """Four stacked plots with linked x axes, and their legend above them."""

    pointed = Signal(float)  # the x under the mouse
    left = Signal()  # the mouse went away

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axis = "epoch"
        self._record = Record()
        self._follows = True  # the range grows with the run until someone zooms
        self._build()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(self, record: Record, axis: str) -> None:
        """Show what the record holds, over `epoch` or `seconds`."""
        if axis != self._axis:
            self._follows = True
        self._record, self._axis = record, axis
        _set(self._training, record.training, axis, "loss")
        _set(self._rate, record.training, axis, "learning_rate")
        for curve, name in ((self._loss, "loss"), (self._accuracy, "accuracy")):
            _set(curve["validation"], record.validation, axis, name)
            _set(curve["test"], record.test, axis, name)
        self._draw_sparsity()
        self._dense.setVisible(record.dense is not None)
        self._dense.setValue(record.dense or 0.0)
        prunes = dict(record.prunes(axis))
        for lines in self._prunes:
            lines.set_at(list(prunes))
        self._labels.set_labels({x: f"{level:.3g} %" for x, level in prunes.items()})
        self._plots[-1].setLabel("bottom", WORDS[axis])
        trained = len(record.training) > 0
        self._untrained.setVisible(not trained and record.total_epochs == 0)
        if self._follows:
            self.reset_view()

    def reset_view(self) -> None:
        """Show everything, and follow the run again."""
        self._follows = True
        low, high = 0.0, self._record.last(self._axis)
        if self._axis == "epoch":
            high = max(high, self._record.total_epochs or 0.0)
        if high <= low:
            low, high = -1.0, 1.0
        record = self._record
        measured = len(record.test) + len(record.validation)
        trained = len(record.training)
        _fit(self._plots[0], measured + trained)
        self._fit_loss()
        _fit(self._plots[1], measured)
        _fit(self._plots[3], trained)
        self._plots[2].setYRange(0, 100, padding=0.12)
        self._untrained.setPos((low + high) / 2, 0.5)
        self._plots[0].setXRange(low, high, padding=0.025)

    def _fit_loss(self) -> None:
        """A single loss has no range of its own; none is below zero."""
        record = self._record
        parts = (record.training, record.validation, record.test)
        found = np.concatenate([p.finite(self._axis, "loss")[1] for p in parts])
        if len(found) and np.ptp(found) == 0 and found[0] >= 0:
            self._plots[0].setYRange(0, float(2 * found[0]) or 1, padding=0.05)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the line under the mouse."""
        super().leaveEvent(event)
        for line in self._pointers:
            line.set_at([])
        self.left.emit()

    def _build(self) -> None:
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._canvas.ci.layout.setVerticalSpacing(5)
        lefts = (NumberAxis, NumberAxis, PercentAxis, NumberAxis)
        self._plots = [
            base.plot_item(title, ProgressAxis("bottom"), left("left"))
            for title, left in zip(TITLES, lefts, strict=True)
        ]
        self._plots[-1].getAxis("bottom").setHeight(34)
        self._labels = LabelAxis()
        self._plots[0].setAxisItems({"top": self._labels})
        for row, (plot, stretch) in enumerate(zip(self._plots, STRETCH, strict=True)):
            self._canvas.addItem(plot, row, 0)
            self._canvas.ci.layout.setRowStretchFactor(row, stretch)
            plot.getAxis("bottom").setStyle(showValues=plot is self._plots[-1])
            if row:
                plot.setXLink(self._plots[0])
            plot.vb.sigRangeChangedManually.connect(self._zoomed)
        self._plots[2].setLimits(yMin=-20, yMax=120)
        self._prunes = [VerticalLines() for _ in self._plots]
        self._pointers = [VerticalLines() for _ in self._plots]
        for plot, prunes, pointer in zip(
            self._plots, self._prunes, self._pointers, strict=True
        ):
            plot.addItem(prunes)
            plot.addItem(pointer)
        loss, accuracy, sparsity, rate = self._plots
        self._training, self._rate = _curve(loss), _curve(rate)
        self._loss = {name: _curve(loss) for name in ("validation", "test")}
        self._dense = pg.InfiniteLine(angle=0)
        accuracy.addItem(self._dense)
        self._accuracy = {name: _curve(accuracy) for name in ("validation", "test")}
        self._untrained = pg.TextItem("No fine-tuning in this run", anchor=(0.5, 0.5))
        rate.addItem(self._untrained, ignoreBounds=True)
        self._planned, self._sparsity = _curve(sparsity), _curve(sparsity)
        self._pruned = _curve(sparsity)
        for curve in (self._planned, self._sparsity):
            curve.setClipToView(False)  # a step needs the point left of the view
            curve.setDownsampling(auto=False)
            curve.opts["stepMode"] = "right"
        scene = self._canvas.scene()
        scene.sigMouseMoved.connect(self._moved)
        scene.sigMouseClicked.connect(self._clicked)

    def _draw_sparsity(self) -> None:
        record, axis = self._record, self._axis
        x, y = record.sparsity.finite(axis, "sparsity")
        self._pruned.setData(x, y)
        if record.start is not None or len(x):
            end = max(record.last(axis), x[-1] if len(x) else 0.0)
            level = y[-1] if len(y) else record.start
            x = np.concatenate(([0.0], x, [end]))
            y = np.concatenate(([record.start or 0.0], y, [level]))
        self._sparsity.setData(x, y)
        planned = record.planned if axis == "epoch" else ()
        self._planned.setData(*np.array(planned).reshape(-1, 2).T.copy())

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        for plot in self._plots:
            base.recolour(plot, colours)
        for lines, pointer in zip(self._prunes, self._pointers, strict=True):
            lines.set_pen(base.line(colours.prune, 1))
            pointer.set_pen(base.line(colours.muted, 1, Qt.PenStyle.DotLine))
        self._labels.setPen(base.line(colours.background))
        self._labels.setTextPen(base.line(colours.sparsity))
        self._training.setPen(base.line(colours.training, 1))
        self._rate.setPen(base.line(colours.learning_rate))
        self._dense.setPen(base.line(colours.dense, 1, Qt.PenStyle.DashLine))
        self._untrained.setColor(colours.muted)
        self._untrained.setFont(base.small_font())
        for curves in (self._loss, self._accuracy):
            _dress(curves["validation"], colours.validation, base.solid)
            _dress(curves["test"], colours.test, base.solid)
            faint = palette.blend(colours.test, 0.35)
            curves["test"].setPen(base.line(faint, 1, Qt.PenStyle.DashLine))
        self._sparsity.setPen(base.line(colours.sparsity))
        _dress(self._pruned, colours.sparsity, base.solid)
        self._pruned.setPen(None)
        _dress(self._planned, colours.sparsity, base.hollow)
        self._planned.setPen(base.line(colours.sparsity, 1, Qt.PenStyle.DotLine))

    def _zoomed(self) -> None:
        self._follows = False

    def _moved(self, position: QPointF) -> None:
        for plot in self._plots:
            if plot.vb.sceneBoundingRect().contains(position):
                x = plot.vb.mapSceneToView(position).x()
                for line in self._pointers:
                    line.set_at([x])
                self.pointed.emit(x)

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()


def _fit(plot: pg.PlotItem, points: int) -> None:
    """Let y follow the data; without any there is nothing to number."""
    plot.getAxis("left").setStyle(showValues=points > 0)
    if points:
        plot.enableAutoRange(y=True)
    else:
        plot.setYRange(0, 1)


def _curve(plot: pg.PlotItem) -> pg.PlotDataItem:
    curve = plot.plot()
    curve.setClipToView(True)
    curve.setDownsampling(auto=True, method="peak")
    return curve


def _set(curve: pg.PlotDataItem, part: Series, x: str, y: str) -> None:
    xs, ys = part.finite(x, y)
    curve.opts["antialias"] = len(xs) <= MANY
    curve.setData(xs, ys)


def _dress(curve: pg.PlotDataItem, colour: str, point) -> None:
    curve.setPen(base.line(colour))
    for name, value in point(colour).items():
        getattr(curve, f"set{name[0].upper()}{name[1:]}")(value)
