"""Histogram: saliencies of one layer on a log10 axis, with the cut between them.

Solid is what a prune did; hollow is what one would do, and its cuts can be moved.
"""

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import CountAxis, PowerAxis
from app.plots.cuts import LAYER, Cuts
from app.plots.legend import Entry, Legend
from app.steering.steering import ALL
from engine.events import Histogram

ENTRIES = (
    Entry("Kept", "live", "bar"),
    Entry("Removed by this prune", "removed", "bar"),
    Entry("Threshold", "cut", "cut"),
)
FORETOLD = (
    Entry("Would stay", "live", "outline"),
    Entry("Would go", "removed", "outline"),
    Entry("Cut of all layers", "cut", "cut"),
    Entry("Cut of this layer", "sparsity", "cut"),
)
HINT = (
    "Drag a line, or press Left and Right (Shift for more); Up and Down choose the "
    "line, Esc lets go without a change"
)
FLOOR = math.log10(0.5)  # where bars stand on the log scale: one weight shows


class HistogramFigure(base.Figure):
    """Two sets of bars and their cuts, with a legend above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._histogram: Histogram | None = None
        self._log = True
        self._hollow = False
        self._counts = CountAxis("left")
        self._canvas = pg.GraphicsLayoutWidget()
        self._plot = base.plot_item("Weights", PowerAxis("bottom"), self._counts)
        self._plot.setLabel("bottom", "Saliency")
        self._canvas.addItem(self._plot)
        self._removed = pg.BarGraphItem(x0=[], width=1, y0=0, height=[])
        self._live = pg.BarGraphItem(x0=[], width=1, y0=0, height=[])
        self._outline = self._plot.plot(stepMode="center")
        self._cut = pg.InfiniteLine(angle=90)
        self._plot.addItem(self._removed)
        self._plot.addItem(self._live)
        self._plot.addItem(self._cut)
        self._outline.setZValue(5)
        self.cuts = Cuts(self._plot)
        self.cuts.place({}, movable=False)
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas.scene().sigMouseClicked.connect(self._clicked)
        self._legend = Legend(ENTRIES)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(self._legend)
        layout.addWidget(self._canvas, 1)
        self.recolour(palette.current())

    def draw(self, histogram: Histogram, log: bool) -> None:
        """Show what a prune did to this layer; `log` is about the counts."""
        self._take(histogram, log, hollow=False)
        cut = histogram.cut
        shown = cut is not None and math.isfinite(cut)
        self._cut.setVisible(shown)
        self._cut.setValue(cut if shown else histogram.low)
        self.cuts.place({}, movable=False)
        self.reset_view()

    def foretell(
        self,
        histogram: Histogram,
        log: bool,
        cuts: dict[str, float | None],
        movable: bool,
    ) -> None:
        """Show what a prune would do, with cuts (log10) that may be moved or not."""
        known = self._histogram if self._hollow else None
        self._take(histogram, log, hollow=True)
        self._cut.setVisible(False)
        self.cuts.place(cuts, movable)
        self.setFocusPolicy(
            Qt.FocusPolicy.StrongFocus if movable else Qt.FocusPolicy.NoFocus
        )
        self.setToolTip(HINT if movable else "")
        self.setAccessibleName(f"Saliencies of {histogram.name}. {HINT}")
        frame = (known.name, known.low, known.high) if known else None
        if frame != (histogram.name, histogram.low, histogram.high):
            self.reset_view()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the cuts."""
        if not self.cuts.key(event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show what the keys move."""
        super().focusInEvent(event)
        self.cuts.set_focus(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys go elsewhere."""
        super().focusOutEvent(event)
        self.cuts.set_focus(False)

    def _take(self, histogram: Histogram, log: bool, hollow: bool) -> None:
        self._histogram, self._log = histogram, log
        if hollow != self._hollow:
            self._hollow = hollow
            self._legend.set_entries(FORETOLD if hollow else ENTRIES)
            self._paint(palette.current())
        self._counts.log = log
        self._counts.picture = None
        edges = np.linspace(histogram.low, histogram.high, len(histogram.live) + 1)
        left, width = edges[:-1], np.diff(edges)
        floor = FLOOR if log else 0.0
        for bars, counts in (
            (self._removed, histogram.removed),
            (self._live, histogram.live),
        ):
            height = _heights(counts, log) - floor
            bars.setOpts(x0=left, width=width, y0=floor, height=height)
        used = np.flatnonzero(histogram.removed)
        first, last = (used[0], used[-1] + 1) if len(used) else (0, 1)
        removed = _heights(histogram.removed[first:last], log)
        self._outline.setData(edges[first : last + 1], removed)

    def reset_view(self) -> None:
        """Show the bins that hold something, and the cut."""
        shown = self._histogram
        if shown is None:
            return
        edges = np.linspace(shown.low, shown.high, len(shown.live) + 1)
        counts = np.add(shown.live, shown.removed)
        used = np.flatnonzero(counts)
        low, high = shown.low, shown.high
        if len(used):
            low, high = edges[used[0]], edges[used[-1] + 1]
        lines = (self._cut, self.cuts.lines[ALL], self.cuts.lines[LAYER])
        for line in lines:
            if line.isVisible():
                low, high = min(low, line.value()), max(high, line.value())
        tallest = max(*shown.live, *shown.removed, 1)
        top = math.log10(tallest) if self._log else tallest
        self._plot.setXRange(low, high, padding=0.03)
        bottom = FLOOR if self._log else 0.0
        self._plot.setYRange(bottom, max(top + 0.05 * (top - bottom), 1), padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        base.recolour(self._plot, colours)
        self._cut.setPen(base.line(colours.cut, 2))
        self.cuts.recolour(colours)
        self._paint(colours)

    def _paint(self, colours: Palette) -> None:
        """Solid bars without an edge, hollow ones with one."""
        for bars, colour in (
            (self._live, colours.live),
            (self._removed, colours.removed),
        ):
            if self._hollow:
                faint = palette.blend(colour, palette.FAINT)
                bars.setOpts(pen=base.line(colour, 1), brush=faint)
            else:
                bars.setOpts(pen=None, brush=colour)
        self._outline.setPen(base.line(colours.removed, 1.5))

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()


def _heights(counts: tuple[int, ...], log: bool) -> np.ndarray:
    """Tops of the bars; an empty bin stays on the floor."""
    numbers = np.asarray(counts, dtype=float)
    if not log:
        return numbers
    return np.log10(np.maximum(numbers, 0.5))
