"""Cuts: two lines in a histogram that are dragged or moved by keys."""

import pyqtgraph as pg
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

from app.palette import Palette
from app.plots import base
from app.steering.steering import ALL

LAYER = "layer"  # the other cut beside ALL
SPANS = {ALL: (0.5, 1.0), LAYER: (0.0, 0.5)}  # of the height: above and below
ENDS = {ALL: 0.88, LAYER: 0.12}  # where the words are, along each line
WORDS = {ALL: "all layers", LAYER: "this layer"}
STEP, STRIDE = 0.001, 0.01  # of the weights, per key and with Shift


class Cuts(QObject):
    """The common cut in the upper half, the layer's own in the lower.

    Where a layer has no cut of its own the two make one line.
    """

    dragged = Signal(str, float)  # which, log10 of the saliency
    released = Signal(str)
    stepped = Signal(str, float)  # which, by how much more of the weights
    cancelled = Signal()

    def __init__(self, plot: pg.PlotItem) -> None:
        super().__init__(plot)
        self.active = ALL
        self._focus = False
        self._colours: Palette | None = None
        self.lines = {which: self._line(which, plot) for which in SPANS}

    @property
    def held(self) -> bool:
        """Whether the mouse holds a line."""
        return any(line.moving for line in self.lines.values())

    def place(self, at: dict[str, float | None], movable: bool) -> None:
        """Put the lines at these log10; None hides one. A held line stays in hand."""
        for which, line in self.lines.items():
            value = at.get(which)
            line.setVisible(value is not None)
            line.setMovable(movable)
            if value is not None and not line.moving:
                line.setValue(value)
        if at.get(self.active) is None:
            self.active = LAYER if at.get(LAYER) is not None else ALL
        self._draw()

    def recolour(self, colours: Palette) -> None:
        """Draw in these colours."""
        self._colours = colours
        self._draw()

    def set_focus(self, focus: bool) -> None:
        """Show which line the keys move."""
        self._focus = focus
        self._draw()

    def key(self, event: QKeyEvent) -> bool:
        """Move by arrows, choose with Up and Down; whether the key meant anything."""
        line = self.lines[self.active]
        step = STRIDE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        match Qt.Key(event.key()):
            case Qt.Key.Key_Up | Qt.Key.Key_Down:
                wanted = ALL if event.key() == Qt.Key.Key_Up else LAYER
                if self.lines[wanted].isVisible():
                    self.active = wanted
                    self._draw()
            case Qt.Key.Key_Left | Qt.Key.Key_Right if line.movable:
                sign = 1 if event.key() == Qt.Key.Key_Right else -1
                self.stepped.emit(self.active, sign * step)
            case Qt.Key.Key_Escape if self.held:
                for each in self.lines.values():
                    each.moving = False
                self.cancelled.emit()
            case _:
                return False
        return True

    def _line(self, which: str, plot: pg.PlotItem) -> pg.InfiniteLine:
        line = pg.InfiniteLine(
            angle=90, movable=True, span=SPANS[which], label=WORDS[which],
            labelOpts={"position": ENDS[which]},
        )  # fmt: skip
        line.setZValue(10)
        line.sigDragged.connect(lambda it: self._drag(which, it.value()))
        line.sigPositionChangeFinished.connect(lambda _: self.released.emit(which))
        plot.addItem(line, ignoreBounds=True)
        return line

    def _drag(self, which: str, at: float) -> None:
        self.active = which
        self._draw()
        self.dragged.emit(which, at)

    def _draw(self) -> None:
        if self._colours is None:
            return
        for which, line in self.lines.items():
            colour = self._colours.cut if which == ALL else self._colours.sparsity
            wide = 4 if self._focus and which == self.active else 2
            line.setPen(base.line(colour, wide))
            line.setHoverPen(base.line(colour, 5 if line.movable else wide))
            line.label.setColor(colour)
            line.label.fill = pg.mkBrush(self._colours.background)
