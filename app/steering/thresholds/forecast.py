"""Forecast: what a cut would leave, in figures; a hollow mark says foretold."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.plots.base import small_font
from app.steering.steering import Steering
from app.tables.units import (
    MEASURED,
    PREDICTED,
    count,
    exact,
    number,
    percent,
    signed,
    stored,
)
from engine import Probed

NARROW = 560  # pixels below which there are two columns


@dataclass(frozen=True)
class Figure:
    """One figure: a title, words and an explanation."""

    title: str
    words: str
    tip: str


class ForecastTable(QWidget):
    """Figures side by side, three or two in a row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cells: list[tuple[QLabel, QLabel, QWidget]] = []
        self._columns = 3
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(6, 2, 6, 4)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)

    def show_figures(self, figures: tuple[Figure, ...]) -> None:
        """Fill the cells, in this order."""
        while len(self._cells) < len(figures):
            self._cells.append(self._cell())
            self._arrange()
        for (title, words, cell), figure in zip(self._cells, figures, strict=True):
            title.setText(figure.title)
            words.setText(figure.words)
            cell.setToolTip(figure.tip)
            cell.setAccessibleName(f"{figure.title}: {figure.words}")

    def words(self, title: str) -> str:
        """What the figure says whose title begins like this."""
        found = (each for each in self._cells if each[0].text().startswith(title))
        return next((words.text() for _, words, _ in found), "")

    def resizeEvent(self, event) -> None:
        """Narrow means more lines."""
        super().resizeEvent(event)
        columns = 2 if self.width() < NARROW else 3
        if columns != self._columns:
            self._columns = columns
            self._arrange()

    def _cell(self) -> tuple[QLabel, QLabel, QWidget]:
        cell = QWidget()
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        title, words = QLabel(), QLabel(wordWrap=True)
        title.setFont(small_font())
        title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        words.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(title)
        column.addWidget(words)
        return title, words, cell

    def _arrange(self) -> None:
        for place, (_, _, cell) in enumerate(self._cells):
            self._grid.addWidget(cell, place // self._columns, place % self._columns)
        for column in range(3):
            self._grid.setColumnStretch(column, int(column < self._columns))


def figures(
    steering: Steering, name: str, probed: Probed | None, failure: str
) -> tuple[Figure, ...]:
    """What the forecast comes to.

    Args:
        steering: Has a forecast.
        name: The shown layer; may be one that is not scored.
        probed: The newest measurement of a mini-batch.
        failure: Why there will be none; empty while there may be.
    """
    told, (macs, size) = steering.forecast, steering.dense
    return (
        _layer(steering, name),
        _whole(steering),
        Figure(
            "Predicted loss: all, this layer",
            _loss(steering, name),
            "Increase as the sum of the saliencies that go, in all and of this layer; "
            "the gain of a Newton step, where the method takes one, is in all alone",
        ),
        Figure(
            "MACs left",
            f"{PREDICTED} {count(round(told.macs))} of {count(round(macs))}",
            "Multiply-accumulates for one image if zeros cost nothing",
        ),
        Figure(
            "Compressed",
            f"{PREDICTED} {stored(told.bytes)} of {stored(size)}",
            "All parameters; pruned layers as the values that are left and one bit a "
            "weight",
        ),
        _accuracy(steering, probed, failure),
    )


def _layer(steering: Steering, name: str) -> Figure:
    if not steering.is_scored(name):
        return Figure("This layer", "stays dense", "It is not pruned")
    zeros, size = steering.forecast.zeros[name], steering.size(name)
    given = " (override)" * (steering.override(name) is not None)
    return Figure(
        f"This layer{given}: go, stay",
        f"{PREDICTED} {percent(zeros / size)}: {count(zeros)}, {count(size - zeros)}",
        f"{exact(zeros)} of {exact(size)} weights zero",
    )


def _whole(steering: Steering) -> Figure:
    told = steering.forecast
    zeros = sum(told.zeros.values())
    size = sum(steering.size(name) for name in told.zeros)
    return Figure(
        "Prunable layers: go, stay",
        f"{PREDICTED} {percent(told.sparsity)}: {count(zeros)}, {count(size - zeros)}",
        f"{exact(zeros)} of {exact(size)} weights zero",
    )


def _loss(steering: Steering, name: str) -> str:
    whole = steering.forecast.loss
    if whole is None:
        return "unknown, as saliencies are no losses"
    own = steering.loss(name) if steering.is_scored(name) else 0.0
    return f"{PREDICTED} {signed(whole)}, {signed(own)}"


def _accuracy(steering: Steering, probed: Probed | None, failure: str) -> Figure:
    title = "Accuracy on a mini-batch"
    if failure:
        return Figure(title, "not measured", failure)
    past = probed is None or probed.units != steering.forecast.units
    if past and steering.locked:
        return Figure(title, "not measured", "It is while cuts can be moved")
    if probed is None:
        return Figure(title, "measuring\N{HORIZONTAL ELLIPSIS}", "On its way")
    now, dense = probed.now, probed.dense
    ago = " a moment ago" if past else ""  # the cuts go on moving meanwhile
    return Figure(
        f"Accuracy of {probed.images} {probed.split} images",
        f"{PREDICTED} {now.accuracy:.1f} %{ago}   "
        f"{MEASURED} dense {dense.accuracy:.1f} %",
        "As many images as allow five looks a second; masks alone, without "
        f"compensation, repair or fine-tuning. Loss {number(now.loss)}, dense "
        f"{number(dense.loss)}",
    )
