"""Forecast: what a cut would leave, in figures: hollow marks before what is foretold."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.plots.base import small_font

PREDICTED, MEASURED = "\N{WHITE CIRCLE}", "\N{BLACK CIRCLE}"
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
        """What a figure says."""
        found = {each.text(): words.text() for each, words, _ in self._cells}
        return found.get(title, "")

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
