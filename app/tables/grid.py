"""Grid: a plain table with a column per run, of words or of fractions with bars."""

from dataclasses import dataclass

from PySide6.QtCore import (
    QObject,
    Qt,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.tables.bars import FRACTION, CellBar
from app.tables.dressing import dress
from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel

NARROWEST = 110  # pixels of a run's column
WIDEST = 190
PAD = 20  # around a head


@dataclass(frozen=True)
class Line:
    """A row: its title, what it means, and a cell per run.

    Attributes:
        key: What it is about, exactly.
        fractions: Drawn as bars; empty where there are none.
    """

    key: str
    title: str
    tip: str
    cells: tuple[str, ...]
    fractions: tuple[float | None, ...] = ()


class GridModel(TitledModel):
    """An adapter over lines."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[Line] = []

    def set_lines(
        self, lines: list[Line], heads: tuple[str, ...], tips: tuple[str, ...]
    ) -> bool:
        """Show these; whether anything was new.

        Args:
            lines: Rows.
            heads: Titles of all columns.
            tips: What each says when it is pointed at.
        """
        if (lines, heads, tips) == (self.lines, self.titles, self.tips):
            return False
        self.beginResetModel()
        self.lines, self.titles, self.tips = lines, heads, tips
        self.endResetModel()
        return True

    def rowCount(self, parent: Index = ROOT) -> int:
        """Lines."""
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """Words, bars and explanations."""
        line, column = self.lines[index.row()], index.column()
        if role == Role.DisplayRole:
            return line.title if column == 0 else line.cells[column - 1]
        if role == Role.ToolTipRole:
            return line.tip if column == 0 else line.cells[column - 1]
        if role == FRACTION and column and line.fractions:
            return line.fractions[column - 1]
        if role == Role.TextAlignmentRole and column and line.fractions:
            return RIGHT
        return None


class GridView(QTableView):
    """Shows a `GridModel`; rows are chosen with mouse and keys."""

    def __init__(self, model: GridModel, name: str, parent: QWidget | None = None):
        super().__init__(parent)
        self.setModel(model)
        dress(self, name)
        self._bars = CellBar(self)
        self.setItemDelegate(self._bars)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.horizontalHeader().setResizeContentsPrecision(60)

    def fit(self) -> None:
        """Room for the words of every column, within reason; or all of the width."""
        header, model = self.horizontalHeader(), self.model()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        metrics = header.fontMetrics()
        for column, head in enumerate(model.titles):
            width = metrics.horizontalAdvance(head) + PAD
            if column == 0:
                width = max(self.sizeHintForColumn(0), width)
            header.resizeSection(column, min(max(width, NARROWEST), WIDEST))
        if header.length() < self.viewport().width():
            header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
