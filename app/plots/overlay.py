"""Overlay: lines and points of many runs in one plot, one colour and mark a run."""

from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app import palette
from app.palette import Palette
from app.plots import base
from app.plots.axes import WordsAxis
from app.plots.looks import look
from app.plots.polylines import Points, Polylines
from app.records.overlaid import NOTHING, Trace
from app.tables.units import number

NAMED = 8  # runs the legend names; the table names all
LEVELS = 6  # dense networks that are drawn; more would be a band
NEAR = 24  # pixels within which a point is meant
BEST = "Best trade-offs"


class Overlay(base.Figure):
    """All of it was measured, so every mark is solid; a click chooses a run."""

    run_chosen = Signal(object)  # Path
    pointed = Signal(str)  # the point under the mouse in words; empty for none

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.traces: list[Trace] = []
        self.stairs: list[tuple[float, float]] = []
        self._chosen: Collection[Path] = ()
        self._from_zero, self._follows = False, True
        self._bottom = WordsAxis("bottom")
        self._canvas = pg.GraphicsLayoutWidget()
        self._plot = base.plot_item("", self._bottom)
        self._canvas.addItem(self._plot)
        self._plot.vb.sigRangeChangedManually.connect(self._zoom)
        self._lines, self._front = Polylines(), Polylines()
        self._points = pg.ScatterPlotItem()
        self._levels: list[pg.InfiniteLine] = []
        for item, height in ((self._front, -1), (self._lines, 0), (self._points, 1)):
            self._plot.addItem(item)
            item.setZValue(height)
        self.legend = QLabel(wordWrap=True)
        self.legend.setFont(base.small_font())
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self._canvas, 1)
        scene = self._canvas.scene()
        scene.sigMouseMoved.connect(self._moved)
        scene.sigMouseClicked.connect(self._clicked)
        self.recolour(palette.current())

    def draw(
        self,
        traces: Sequence[Trace],
        labels: tuple[str, str],
        words=number,
        dense: Sequence[float] = (),
        stairs: Sequence[tuple[float, float]] = (),
        from_zero: bool = False,
    ) -> None:
        """Show these.

        Args:
            traces: Of each run.
            labels: Of the bottom and the left axis.
            words: For numbers of the bottom axis.
            dense: Levels of the left axis before pruning.
            stairs: Corners of the line that nothing is above.
            from_zero: Whether the bottom axis begins at zero.
        """
        self.traces, self.stairs = list(traces), list(stairs)
        self._from_zero, dense = from_zero, sorted(set(dense))
        self._bottom.words = words
        self._plot.setLabel("bottom", labels[0])
        self._plot.setLabel("left", labels[1])
        for level in self._levels:
            self._plot.removeItem(level)
        known = dense if len(dense) <= LEVELS else ()
        self._levels = [pg.InfiniteLine(level, angle=0) for level in known]
        for level in self._levels:
            self._plot.addItem(level)
        self._front.set_lines([_points(self.stairs)])
        self._lines.set_lines([line for t in self.traces for line in _lines(t)])
        self.recolour(palette.current())
        if self._follows:
            self.reset_view()

    def choose(self, folders: Collection[Path]) -> None:
        """Draw these runs above the others and heavier."""
        self._chosen = frozenset(folders)
        self.recolour(palette.current())

    def reset_view(self) -> None:
        """Show everything, and go on doing so."""
        self._follows = True
        self._plot.enableAutoRange()
        if self._from_zero and self.traces:
            ends = [t.spread[1] if t.spread else t.points[0].max() for t in self.traces]
            self._plot.setXRange(0, 1.05 * max(ends), padding=0)

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        self._canvas.setBackground(colours.background)
        base.recolour(self._plot, colours)
        self._front.set_pens([base.line(palette.blend(colours.text, 0.6), 1.4)])
        for level in self._levels:
            level.setPen(base.line(colours.dense, 1, Qt.PenStyle.DashLine))
        words, pens, kinds = [], [], {}
        for trace in self.traces:
            colour, style, (_, sign) = look(trace.number)
            heavy = trace.folder in self._chosen
            kind = colour, style, heavy
            kinds[kind] = kinds.get(kind) or _pens(*kind)
            pens += kinds[kind]
            if len(words) < NAMED:
                name = _whole(trace.folder.name)
                name = f"<b>{name}</b>" if heavy else name
                words.append(f'<span style="color:{colour}">{sign}</span>&nbsp;{name}')
        self._lines.set_pens(pens)
        self._draw_points(colours)
        more = len(self.traces) - NAMED
        words += [_whole(f"and {more} more")] * (more > 0)
        if self._levels:
            words.append(f'<span style="color:{colours.dense}">- -</span>&nbsp;Dense')
        if len(self.stairs) > 1:
            rule = "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * 2
            words.append(f"{rule}&nbsp;{_whole(BEST)}")
        text = " &nbsp; ".join(words)
        self.legend.setText(f'<span style="color:{colours.muted}">{text}</span>')

    def _draw_points(self, colours: Palette) -> None:
        """All in one item, those of the chosen runs last."""
        heavy = [trace.folder in self._chosen for trace in self.traces]
        order = sorted(range(len(heavy)), key=heavy.__getitem__)
        traces = [self.traces[i] for i in order]
        looks = [look(trace.number) for trace in traces]
        counts = [len(trace.points[0]) for trace in traces]
        edges = [
            colours.text if heavy[i] else each[0]
            for i, each in zip(order, looks, strict=True)
        ]

        def every(values: list) -> list:
            pairs = zip(values, counts, strict=True)
            return [value for value, count in pairs for _ in range(count)]

        pens = {colour: pg.mkPen(colour) for colour in edges}
        brushes = {colour: pg.mkBrush(colour) for colour, *_ in looks}
        self._points.setData(
            x=np.concatenate([NOTHING[0], *(trace.points[0] for trace in traces)]),
            y=np.concatenate([NOTHING[1], *(trace.points[1] for trace in traces)]),
            symbol=every([mark for _, _, (mark, _) in looks]),
            size=every([11 if heavy[i] else 8 for i in order]),
            pen=every([pens[colour] for colour in edges]),
            brush=every([brushes[colour] for colour, *_ in looks]),
        )

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        super().leaveEvent(event)
        self.pointed.emit("")

    def nearest(self, at: QPointF) -> tuple[Trace, float, float] | None:
        """The run, x and y of the point nearest to a place in the scene."""
        box = self._plot.getViewBox()
        place, pixel = box.mapSceneToView(at), box.viewPixelSize()
        best, found = float(NEAR), None
        for trace in self.traces:
            for x, y in (trace.points, trace.line):
                if not len(x):
                    continue
                apart = np.hypot((x - place.x()) / pixel[0], (y - place.y()) / pixel[1])
                row = int(apart.argmin())
                if apart[row] < best:
                    best, found = float(apart[row]), (trace, float(x[row]), y[row])
        return found

    def _zoom(self) -> None:
        self._follows = False

    def _moved(self, at: QPointF) -> None:
        found = self.nearest(at)
        if found is None:
            self.pointed.emit("")
            return
        trace, x, y = found
        self.pointed.emit(
            f"{trace.folder.name}: {number(float(y))} at {self._bottom.words(x)}"
        )

    def _clicked(self, event: object) -> None:
        if event.double():
            self.reset_view()
            return
        found = self.nearest(event.scenePos())
        if found is not None:
            self.run_chosen.emit(found[0].folder)


def _lines(trace: Trace) -> tuple[Points, Points, Points]:
    """Its line, its points joined where it has none, and how they varied."""
    joined = NOTHING if len(trace.line[0]) else trace.points
    if trace.spread is None:
        return trace.line, joined, NOTHING
    y = trace.points[1]
    return trace.line, joined, (np.array(trace.spread), np.append(y, y))


def _pens(colour: str, style: Qt.PenStyle, heavy: bool) -> tuple[QPen, QPen, QPen]:
    """Of a line, of what joins points, and of how they varied."""
    return (
        base.line(colour, 2.6 if heavy else 1.4, style),
        base.line(palette.blend(colour, 0.3), 1),
        base.line(colour, 1.4),
    )


def _points(corners: Sequence[tuple[float, float]]) -> Points:
    x, y = np.array(corners, float).reshape(-1, 2).T.copy()
    return x, y


def _whole(name: str) -> str:
    """A name that is not torn apart at the end of a line."""
    return escape(name).replace(" ", "&nbsp;").replace("-", "\N{NON-BREAKING HYPHEN}")
