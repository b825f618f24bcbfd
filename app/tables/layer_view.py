"""Layer view: the sortable table widget of layers, with toggling and copying."""

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from app.tables.bars import CellBar
from app.tables.layer_table import (
    COLUMNS,
    LAYER,
    OVERRIDE,
    SPARSITY,
    TYPE,
    LayerTableModel,
)

WIDEST_NAME = 190  # pixels; longer names are cut in the middle
NOT_CUT = (SPARSITY, 112)  # room for a bar


class LayerView(QTableView):
    """Rows of layers; network order until a header is clicked."""

    layer_chosen = Signal(str)  # full parameter name

    def __init__(self, model: LayerTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = model
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        self.proxy.setFilterKeyColumn(-1)
        self.proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setModel(self.proxy)
        self.setItemDelegateForColumn(SPARSITY, CellBar(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Layers")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.moveSection(SPARSITY, TYPE)  # what changes, beside the name
        self.setColumnHidden(OVERRIDE, True)  # until there is one
        header.moveSection(header.visualIndex(OVERRIDE), header.visualIndex(TYPE))
        header.setSortIndicatorClearable(True)
        header.setHighlightSections(False)
        header.setResizeContentsPrecision(60)  # rows to measure, of hundreds
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.copy = QAction("Copy rows", self)
        self.copy.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.copy.triggered.connect(self._copy)
        self.addAction(self.copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.selectionModel().currentRowChanged.connect(self._choose)

    def show_overrides(self, any_: bool) -> None:
        """Show their column, or not."""
        if any_ == self.isColumnHidden(OVERRIDE):
            self.setColumnHidden(OVERRIDE, not any_)
            self.resizeColumnToContents(OVERRIDE)

    def fit(self) -> None:
        """Give every column the room its words need."""
        self.resizeColumnsToContents()
        header = self.horizontalHeader()
        header.resizeSection(LAYER, min(header.sectionSize(LAYER), WIDEST_NAME))
        header.resizeSection(*NOT_CUT)

    def selected(self) -> list[str]:
        """Full names of the selected layers, from top to bottom."""
        rows = self.selectionModel().selectedRows(LAYER)
        names = sorted((i.row(), i.data(Qt.ItemDataRole.UserRole)) for i in rows)
        return [name for _, name in names]

    def show_layer(self, name: str) -> None:
        """Make this layer current, if it is in the list."""
        index = self.proxy.mapFromSource(self._layers.find(name))
        if not index.isValid() or index.row() == self.currentIndex().row():
            return
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(
            index, flags.ClearAndSelect | flags.Rows | flags.Current
        )
        self.scrollTo(index)

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            name = current.siblingAtColumn(LAYER).data(Qt.ItemDataRole.UserRole)
            self.layer_chosen.emit(name)

    def _copy(self) -> None:
        """Put the selected rows on the clipboard, exact numbers, tabs between."""
        lines = ["\t".join(COLUMNS)]
        by_name = {info.name: row for row, info in enumerate(self._layers.layers)}
        for name in self.selected():
            lines.append("\t".join(self._layers.cells(by_name[name])))
        if len(lines) > 1:
            QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
