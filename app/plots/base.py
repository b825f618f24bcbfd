"""Base of every plot: a plot item without surprises, in the colours of the window."""

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

from app import palette
from app.palette import Palette
from app.plots.axes import NumberAxis

WIDEST = "0.00025"  # tick label left of a plot; stacked ones are alike


class Figure(QWidget):
    """A plot with its legend, painted in the colours that fit the window.

    Subclasses build their items first and then call `recolour` themselves.
    """

    def recolour(self, colours: Palette) -> None:
        """Give every item its colour again."""
        raise NotImplementedError

    def changeEvent(self, event: QEvent) -> None:
        """Follow the application between light and dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.recolour(palette.current())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Continue the background of the plot behind the legend."""
        QPainter(self).fillRect(self.rect(), QColor(palette.current().background))


def plot_item(label: str, bottom: pg.AxisItem, left: pg.AxisItem | None = None):
    """A `pg.PlotItem` that pans and zooms with the mouse and has no hidden menus."""
    item = pg.PlotItem(axisItems={"bottom": bottom, "left": left or NumberAxis("left")})
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setLabel("left", label)
    item.getAxis("left").setStyle(maxTickLevel=0)  # one grid line per number
    bottom.setStyle(maxTickLevel=1)
    item.showGrid(x=True, y=True, alpha=0.18)
    return item


def recolour(item: pg.PlotItem, colours: Palette) -> None:
    """Draw axes and ticks in these colours and a little smaller than the window."""
    font = small_font()
    metrics = QFontMetrics(font)
    room = metrics.height() + metrics.horizontalAdvance(WIDEST)  # title, labels, gaps
    item.getAxis("left").setWidth(room + 10)
    for side in ("left", "bottom", "top"):
        axis = item.getAxis(side)
        axis.setPen(pg.mkPen(colours.muted))
        axis.setTextPen(pg.mkPen(colours.text))
        axis.setTickFont(font)
        if axis.label is not None:
            axis.label.setFont(font)
            axis.label.setDefaultTextColor(pg.mkColor(colours.text))


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
