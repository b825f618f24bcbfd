"""Density: how much of each channel is left, beside a picture of its weights."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsPathItem

from app import palette
from app.palette import Palette
from app.plots import base


class Density:
    """Bars of what is left (measured) and a dashed line of what would be (predicted).

    One outline rather than a bar each: layers may have tens of thousands of channels.

    Args:
        plot: Shares the axis of the channels with the picture.
        sideways: Channels go down instead of across.

    Attributes:
        left, after: Percent of each channel, now and after the next prune.
    """

    def __init__(self, plot: pg.PlotItem, sideways: bool) -> None:
        self._sideways = sideways
        self.left = self.after = np.zeros(0)
        self._bars, self._line = QGraphicsPathItem(), pg.PlotCurveItem()
        plot.addItem(self._bars, ignoreBounds=True)
        plot.addItem(self._line)

    def draw(self, edges: np.ndarray, left: np.ndarray, after: np.ndarray) -> None:
        """Show channels.

        Args:
            edges: Where they begin and end (n + 1,).
            left: Share of each that is left now (n,).
            after: Share that the next prune would leave (n,).
        """
        self.left, self.after = 100 * left, 100 * after
        places = edges.repeat(2)[1:-1]
        outline = np.concatenate([edges[:1], places, edges[-1:]])
        heights = np.concatenate([[0.0], self.left.repeat(2), [0.0]])
        self._bars.setPath(pg.arrayToQPath(*self._turned(outline, heights)))
        predicted = bool((after != left).any())
        line = (places, self.after.repeat(2)) if predicted else (places[:0],) * 2
        self._line.setData(*self._turned(*line))

    def recolour(self, colours: Palette) -> None:
        """Give both their colour again."""
        self._bars.setPen(Qt.PenStyle.NoPen)
        self._bars.setBrush(palette.blend(colours.sparsity, 0.45))
        self._line.setPen(base.line(colours.sparsity, 1.2, Qt.PenStyle.DashLine))

    def _turned(self, along: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, ...]:
        return (up, along) if self._sideways else (along, up)
