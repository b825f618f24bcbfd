"""Density: how much of each channel is left, beside a picture of its weights."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from app import palette
from app.palette import Palette
from app.plots import base


class Density:
    """Bars of what is left (measured) and a dashed line of what would be (predicted).

    Args:
        plot: Shares the axis of the channels with the picture.
        sideways: Channels go down instead of across.
    """

    def __init__(self, plot: pg.PlotItem, sideways: bool) -> None:
        self._sideways = sideways
        self.bars = pg.BarGraphItem(x0=[], width=[], y0=[], height=[])
        self.line = pg.PlotCurveItem()
        plot.addItem(self.bars)
        plot.addItem(self.line)

    def draw(self, edges: np.ndarray, left: np.ndarray, after: np.ndarray) -> None:
        """Show channels.

        Args:
            edges: Where they begin and end (n + 1,).
            left: Share of each that is left now (n,).
            after: Share that the next prune would leave (n,).
        """
        along = {"from": edges[:-1], "size": np.diff(edges)}
        upward = {"from": np.zeros(len(left)), "size": 100 * left}
        x, y = (upward, along) if self._sideways else (along, upward)
        self.bars.setOpts(x0=x["from"], width=x["size"], y0=y["from"], height=y["size"])
        places, values = edges.repeat(2)[1:-1], (100 * after).repeat(2)
        predicted = bool((after != left).any())
        pair = (values, places) if self._sideways else (places, values)
        self.line.setData(*(pair if predicted else ([], [])))

    def recolour(self, colours: Palette) -> None:
        """Give both their colour again."""
        self.bars.setOpts(pen=None, brush=palette.blend(colours.sparsity, 0.45))
        self.line.setPen(base.line(colours.sparsity, 1.2, Qt.PenStyle.DashLine))
