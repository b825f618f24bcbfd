"""Base of every plot: a plot item without surprises, in the colours of the window."""

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QApplication, QWidget

from app.palette import Palette
from app.plots.axes import NumberAxis

AXIS_WIDTH = 60  # of the tick labels left of a plot, the same for stacked plots


def plot_item(label: str, bottom: pg.AxisItem, left: pg.AxisItem | None = None):
    """A `pg.PlotItem` that pans and zooms with the mouse and has no hidden menus."""
    item = pg.PlotItem(
        axisItems={"bottom": bottom, "left": left or NumberAxis("left")}
    )
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setLabel("left", label)
    item.getAxis("left").setWidth(AXIS_WIDTH)
    for axis in (item.getAxis("left"), bottom):
        axis.setStyle(maxTickLevel=0)  # one grid line per number
    item.showGrid(x=True, y=True, alpha=0.18)
    return item


def recolour(item: pg.PlotItem, colours: Palette) -> None:
    """Draw axes and ticks in these colours and a little smaller than the window."""
    font = small_font()
    for side in ("left", "bottom", "top"):
        axis = item.getAxis(side)
        axis.setPen(pg.mkPen(colours.muted))
        axis.setTextPen(pg.mkPen(colours.text))
        axis.setTickFont(font)
        if axis.label is not None:
            axis.label.setFont(font)
            axis.label.setDefaultTextColor(pg.mkColor(colours.text))


def fill(widget: QWidget, colours: Palette) -> None:
    """Paint the widget behind a plot as the plot itself is painted."""
    look, colour = widget.palette(), QColor(colours.background)
    if look.color(look.ColorRole.Window) != colour:
        look.setColor(look.ColorRole.Window, colour)
        widget.setPalette(look)


def small_font() -> QFont:
    """The application's font, one point smaller."""
    font = QFont(QApplication.font())
    font.setPointSizeF(max(font.pointSizeF() - 1, 6.5))
    return font


def line(colour: str | QColor, width: float = 1.5, style=Qt.PenStyle.SolidLine) -> QPen:
    """A pen whose width is in pixels, however far the plot is zoomed."""
    return pg.mkPen(colour, width=width, style=style)


def solid(colour: str, size: float = 6) -> dict:
    """Options of a measured point."""
    return {
        "symbol": "o", "symbolSize": size,
        "symbolPen": pg.mkPen(colour), "symbolBrush": pg.mkBrush(colour),
    }  # fmt: skip


def hollow(colour: str, size: float = 7) -> dict:
    """Options of a predicted point."""
    return {
        "symbol": "o", "symbolSize": size,
        "symbolPen": pg.mkPen(colour, width=1.4), "symbolBrush": None,
    }  # fmt: skip
