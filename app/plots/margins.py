"""Margins: densities of a picture's channels, above it and beside it."""

import pyqtgraph as pg

from app.palette import Palette
from app.plots import base
from app.plots.axes import NumberAxis
from app.plots.density import Density
from app.plots.weight_grid import Grid

WIDE = 46  # pixels


class Margins:
    """Two plots that pan and zoom with the picture.

    Args:
        canvas: Has the picture in row 1 and column 0.
        picture: Its columns go on above, its rows beside it, first row on top.
        room: Pixels that the axis below the picture takes.

    Attributes:
        columns, rows: Densities of the channels that these are of.
    """

    def __init__(
        self, canvas: pg.GraphicsLayoutWidget, picture: pg.PlotItem, room: int
    ) -> None:
        self._above = base.plot_item("", NumberAxis("bottom"))
        self._beside = base.plot_item("", NumberAxis("bottom"))
        canvas.addItem(self._above, 0, 0)
        canvas.addItem(self._beside, 1, 1)
        canvas.ci.layout.setRowFixedHeight(0, WIDE)
        canvas.ci.layout.setColumnFixedWidth(1, WIDE)
        self.columns, self.rows = (
            Density(self._above, False),
            Density(self._beside, True),
        )
        self._beside.getAxis("bottom").setHeight(room)
        box, above, beside = (
            plot.getViewBox() for plot in (picture, self._above, self._beside)
        )
        above.setXLink(box)
        beside.invertY(True)
        beside.setYLink(box)
        above.setMouseEnabled(x=False, y=False)
        beside.setMouseEnabled(x=False, y=False)
        self._above.setYRange(0, 100, padding=0.02)
        self._beside.setXRange(0, 100, padding=0.02)
        for plot, side in ((self._above, "left"), (self._beside, "bottom")):
            plot.getAxis(side).setTicks([[(50, "50 %")]])

    @property
    def foretold(self) -> bool:
        """Whether the next prune would take anything."""
        return any(
            (each.left != each.after).any() for each in (self.rows, self.columns)
        )

    def draw(self, grid: Grid) -> None:
        """Show how much of each channel is left, and would be."""
        self.rows.draw(*grid.densities(0))
        self.columns.draw(*grid.densities(1))

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        for plot in (self._above, self._beside):
            base.recolour(plot, colours)
        for hidden in (self._above.getAxis("bottom"), self._beside.getAxis("left")):
            hidden.setStyle(showValues=False)
        self._beside.getAxis("left").setWidth(4)
        self._above.getAxis("bottom").setHeight(4)
        for density in (self.columns, self.rows):
            density.recolour(colours)
