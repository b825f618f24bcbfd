"""Schedule: prunes, phases and learning rate over the epochs, with their handles."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis, PercentAxis, ProgressAxis
from app.plots.handles import Grips
from app.plots.legend import Entry, Legend
from app.plots.marks import VerticalLines
from app.plots.spans import Spans
from app.steering.schedule.handles import RATE, SPARSITY
from app.steering.schedule.picture import Picture

ENTRIES = (
    Entry("Prune planned", "sparsity", "hollow"),
    Entry("Prune done", "sparsity", "line+point"),
    Entry("Learning rate to come", "learning_rate", "dashed"),
    Entry("Learning rate so far", "learning_rate", "line"),
    Entry("Now", "cut", "cut"),
    Entry("Handle", "live", "outline"),
)
UNTRAINED = "No fine-tuning yet: move the square to the right for some epochs"
STRETCH = (3, 2)
ROOM = (-0.03, 1.12)  # of the epochs, left and right of them
LEAST = 3  # epochs in view


class ScheduleFigure(base.Figure):
    """Sparsity above, learning rate below, on one axis of epochs."""

    cancelled = Signal()
    confirmed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas.ci.layout.setContentsMargins(0, 0, 6, 0)
        self._canvas.ci.layout.setVerticalSpacing(5)
        self._plots = {
            SPARSITY: base.plot_item(
                "Sparsity %", ProgressAxis("bottom"), PercentAxis("left")
            ),
            RATE: base.plot_item("LR", ProgressAxis("bottom"), NumberAxis("left")),
        }
        upper, lower = self._plots[SPARSITY], self._plots[RATE]
        for row, plot in enumerate(self._plots.values()):
            self._canvas.addItem(plot, row, 0)
            self._canvas.ci.layout.setRowStretchFactor(row, STRETCH[row])
            plot.setMouseEnabled(y=False)
        upper.getAxis("bottom").setStyle(showValues=False)
        lower.setLabel("bottom", "Epochs of fine-tuning")
        lower.getAxis("bottom").setHeight(34)
        lower.setXLink(upper)
        self._spans = [Spans(upper, words=True), Spans(lower, words=False)]
        self._nows = [VerticalLines() for _ in self._plots]
        for plot, now in zip(self._plots.values(), self._nows, strict=True):
            plot.addItem(now)
        self._way, self._done_way = upper.plot(), upper.plot()
        self._planned, self._done = upper.plot(pen=None), upper.plot(pen=None)
        self._ahead, self._so_far = lower.plot(), lower.plot()
        self._none = pg.TextItem(UNTRAINED, anchor=(0, 0.5))
        lower.addItem(self._none, ignoreBounds=True)
        self.grips = Grips(self._plots, self)
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Schedule: Tab chooses a handle, arrows move it")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(Legend(ENTRIES))
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(self, picture: Picture) -> None:
        """Show this schedule; the view stays where it is while a handle is held."""
        before, self._picture = self._picture, picture
        self._plots[SPARSITY].setLabel("left", picture.label)
        for spans in self._spans:
            spans.show(picture.spans)
        for now in self._nows:
            now.set_at([] if picture.now is None else [picture.now])
        self._way.setData(*_steps(picture.way, picture.end))
        self._done_way.setData(*_steps(picture.done_way, picture.now or picture.end))
        self._planned.setData(*_columns(picture.planned))
        self._done.setData(*_columns(picture.done))
        self._ahead.setData(*picture.ahead)
        self._so_far.setData(*picture.so_far)
        self._none.setVisible(not picture.trains)
        self.grips.place(picture.handles, picture.locked)
        same = before and (before.end, before.top) == (picture.end, picture.top)
        if not same and not self.grips.held:
            self.reset_view()

    def reset_view(self) -> None:
        """Show everything, and some room to move the end."""
        picture = self._picture
        if picture is None:
            return
        wide = max(picture.end, LEAST)
        self._plots[SPARSITY].setXRange(ROOM[0] * wide, ROOM[1] * wide, padding=0)
        self._plots[SPARSITY].setYRange(-6, 122, padding=0)
        self._plots[RATE].setYRange(-0.08 * picture.top, 1.15 * picture.top, padding=0)
        self._plots[RATE].getAxis("left").setStyle(showValues=picture.trains)
        self._none.setPos(0, 0.5 * picture.top)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        for plot in self._plots.values():
            base.recolour(plot, colours)
        for spans in self._spans:
            spans.recolour(colours)
        for now in self._nows:
            now.set_pen(base.line(colours.cut, 1.5))
        dotted, dashed = Qt.PenStyle.DotLine, Qt.PenStyle.DashLine
        self._way.setPen(base.line(colours.sparsity, 1, dotted))
        self._done_way.setPen(base.line(colours.sparsity))
        self._ahead.setPen(base.line(colours.learning_rate, 1.2, dashed))
        self._so_far.setPen(base.line(colours.learning_rate, 2.4))
        for curve, options in (
            (self._planned, base.hollow(colours.sparsity, 9)),
            (self._done, base.solid(colours.sparsity, 8)),
        ):
            for name, value in options.items():
                getattr(curve, f"set{name[0].upper()}{name[1:]}")(value)
        self._none.setColor(colours.muted)
        self._none.setFont(base.small_font())
        self.grips.recolour(colours)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from handle to handle, then on."""
        if self.hasFocus() and self.grips.choose(forward):
            self.grips.chosen.emit()
            return True
        return super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the active handle, Enter takes that, Escape does not."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.grips.let_go()
            self.cancelled.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.confirmed.emit()
        elif not self.grips.key(event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show what the keys move."""
        super().focusInEvent(event)
        self.grips.set_focus(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys go elsewhere."""
        super().focusOutEvent(event)
        self.grips.set_focus(False)

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.grips.choose_at(self._canvas.scene().items(event.scenePos()))


def _columns(points: tuple[tuple[float, float], ...]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(points, dtype=float).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


def _steps(
    points: tuple[tuple[float, float], ...], end: float
) -> tuple[np.ndarray, np.ndarray]:
    """Each level holds until the next, the last one until the end."""
    if not points:
        return np.empty(0), np.empty(0)
    x, y = _columns(points)
    across = np.append(np.repeat(x, 2)[1:], max(end, x[-1]))
    return across, np.repeat(y, 2)
