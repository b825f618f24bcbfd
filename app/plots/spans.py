"""Spans: phases behind a plot, shaded in turn, with their names at the top."""

import pyqtgraph as pg

from app import palette
from app.palette import Palette
from app.plots import base
from app.steering.schedule.picture import Span

TOP = 119  # percent: where the names are
SHADES = ("training", "sparsity", "learning_rate")  # settle, prune, recover
NAMES = ("Settle", "Prune", "Recover")


class Spans:
    """Draws what lies between two epochs.

    Args:
        plot: To draw behind.
        words: Whether the names are told.
    """

    def __init__(self, plot: pg.PlotItem, words: bool) -> None:
        self._regions, self._words = {}, {}
        for name in NAMES:
            region = pg.LinearRegionItem(movable=False)
            region.setZValue(-10)
            plot.addItem(region, ignoreBounds=True)
            self._regions[name] = region
            word = pg.TextItem(name, anchor=(0.5, 0))
            word.setVisible(False)
            plot.addItem(word, ignoreBounds=True)
            self._words[name] = word
        self._told = words

    def show(self, spans: tuple[Span, ...]) -> None:
        """Shade these, and no others; a phase without an epoch is a name only."""
        found = {name: (start, end) for name, start, end in spans}
        for name in NAMES:
            known = name in found
            start, end = found.get(name, (0.0, 0.0))
            self._regions[name].setVisible(known and end > start)
            self._regions[name].setRegion((start, end))
            self._words[name].setVisible(known and self._told)
            self._words[name].setAnchor((0.5 if end > start else 0, 0))
            self._words[name].setPos((start + end) / 2, TOP)

    def recolour(self, colours: Palette) -> None:
        """Faint fills, so that the grid stays readable."""
        for name, shade in zip(NAMES, SHADES, strict=True):
            colour = getattr(colours, shade)
            self._regions[name].setBrush(palette.blend(colour, palette.FAINT))
            for line in self._regions[name].lines:
                line.setPen(base.line(palette.blend(colour, 0.5), 1))
            self._words[name].setColor(colours.text)
            self._words[name].setFont(base.small_font())
