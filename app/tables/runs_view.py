"""Runs view: the sortable table widget of runs, with keys, editing and dropping."""

from pathlib import Path

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from app.tables.dressing import dress, sort_by_header
from app.tables.runs_table import NOTES, RUN, RunsTableModel

Index = QModelIndex | QPersistentModelIndex
WIDEST = 180  # pixels of a column; longer words are cut in the middle
KEYS = "Space draws or not, Enter opens, F2 edits notes, Delete takes off the list."


class UnknownLast(QSortFilterProxyModel):
    """Sorts by the keys of the model; the unknown comes last in both directions."""

    def lessThan(self, left: Index, right: Index) -> bool:
        """By value."""
        model, column = self.sourceModel(), left.column()
        one, other = model.key(left.row(), column), model.key(right.row(), column)
        rising = self.sortOrder() == Qt.SortOrder.AscendingOrder
        if one is None or other is None:
            return other is None if rising else one is None
        return one < other


class RunsView(QTableView):
    """Rows of runs, in the order they were added until a header is clicked."""

    opened = Signal(object)  # Path
    removed = Signal(object)  # list of Path
    drawn = Signal(object, bool)  # list of Path, whether they should be
    chosen = Signal(object)  # list of Path

    def __init__(self, model: RunsTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = model
        self.proxy = UnknownLast(self)
        self.proxy.setSourceModel(model)
        self.setModel(self.proxy)
        dress(self, "Runs side by side")
        self.setAccessibleDescription(KEYS)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QTableView.Shape.NoFrame)
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setResizeContentsPrecision(20)
        header.setStretchLastSection(True)
        sort_by_header(self)
        self.activated.connect(self._activate)
        self.selectionModel().selectionChanged.connect(
            lambda *_: self.chosen.emit(self.selected())
        )

    def fit(self) -> None:
        """Give every column the room its words need, up to `WIDEST`."""
        self.resizeColumnsToContents()
        header = self.horizontalHeader()
        for column in range(self.proxy.columnCount()):
            if header.sectionSize(column) > WIDEST:
                header.resizeSection(column, WIDEST)

    def selected(self) -> list[Path]:
        """The selected folders, from top to bottom."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows(RUN))
        return [self._folder(self.proxy.index(row, RUN)) for row in rows]

    def show_run(self, folder: Path) -> None:
        """Make this run current."""
        folders = [entry.folder for entry in self._runs.entries]
        if folder in folders:
            source = self._runs.index(folders.index(folder), RUN)
            index = self.proxy.mapFromSource(source)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(
                index, flags.ClearAndSelect | flags.Rows | flags.Current
            )
            self.scrollTo(index)

    def edit_notes(self) -> None:
        """Type into the notes of the current run."""
        index = self.currentIndex().siblingAtColumn(NOTES)
        if index.isValid() and not self.isColumnHidden(NOTES):
            self.scrollTo(index)
            self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See `KEYS`."""
        chosen, key = self.selected(), event.key()
        if key == Qt.Key.Key_Space and chosen:
            entries = {entry.folder: entry for entry in self._runs.entries}
            every = all(entries[folder].drawn for folder in chosen)
            self.drawn.emit(chosen, not every)
        elif key == Qt.Key.Key_Delete and chosen:
            self.removed.emit(chosen)
        elif key == Qt.Key.Key_F2:
            self.edit_notes()
        else:
            super().keyPressEvent(event)

    def _activate(self, index: QModelIndex) -> None:
        if index.column() == NOTES:
            self.edit_notes()
        else:
            self.opened.emit(self._folder(index))

    def _folder(self, index: QModelIndex) -> Path:
        return self._runs.entries[self.proxy.mapToSource(index).row()].folder
