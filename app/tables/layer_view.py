"""Layer view: the sortable table of layers, edited in place, filtered and copied."""

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRegularExpression,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QTableView, QWidget

from app.preferences import Preferences
from app.tables.bars import CellBar
from app.tables.columns import Columns
from app.tables.dressing import dress, sort_by_header
from app.tables.layer_rows import (
    COLUMNS,
    LAYER,
    SPARSITY,
    STATUS,
    TARGET,
    TITLES,
    TYPE,
    USUAL,
)
from app.tables.layer_table import LayerTableModel
from app.tables.units import short

NAMES = (110, 210)  # pixels of the narrowest and the widest column of names
BARS = (62, 160)  # of sparsities: the words alone, and with a bar
TITLE = 20  # pixels around the title of a column
STARTS = "0123456789.,"  # keys that begin a number
Index = QModelIndex | QPersistentModelIndex


class LayerFilter(QSortFilterProxyModel):
    """Looks for a text or an expression in name, type and status."""

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether one of the three has it."""
        wanted, model = self.filterRegularExpression(), self.sourceModel()
        name = model.layers[row].name
        words = (
            name,
            short(name),
            *(model.index(row, column).data() for column in (TYPE, STATUS)),
        )
        return any(wanted.match(each).hasMatch() for each in words)


class LayerView(QTableView):
    """Rows of layers; network order until a header is clicked."""

    layer_chosen = Signal(str)  # full parameter name
    cleared = Signal(object, str)  # list of names, which bound; empty for all of them

    def __init__(
        self,
        model: LayerTableModel,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._layers = model
        self.proxy = LayerFilter(self)
        self.proxy.setSourceModel(model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        self.setModel(self.proxy)
        self.setItemDelegateForColumn(SPARSITY, CellBar(self))
        dress(self, "Layers")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setMinimumSectionSize(40)
        header.setResizeContentsPrecision(60)  # rows to measure, of hundreds
        sort_by_header(self)
        self.columns = Columns(self, "layers", USUAL, preferences)
        self.columns.changed.connect(self.fit)
        self.copy = QAction("Copy rows", self)
        self.copy.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.copy.triggered.connect(self._copy)
        self.addAction(self.copy)
        self.addAction(self.columns.menu.menuAction())
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.selectionModel().currentRowChanged.connect(self._choose)

    def set_filter(self, text: str, is_expression: bool) -> str:
        """Show layers with this text; why it cannot be looked for, else nothing."""
        pattern = text if is_expression else QRegularExpression.escape(text)
        option = QRegularExpression.PatternOption.CaseInsensitiveOption
        wanted = QRegularExpression(pattern, option)
        known = wanted if wanted.isValid() else QRegularExpression()
        self.proxy.setFilterRegularExpression(known)
        return "" if wanted.isValid() else wanted.errorString()

    def fit(self) -> None:
        """Give every column the room its words need, names and bars what is left."""
        header, metrics = self.horizontalHeader(), self.horizontalHeader().fontMetrics()
        for column, title in enumerate(TITLES):
            if not self.isColumnHidden(column):
                words = metrics.horizontalAdvance(title) + TITLE
                header.resizeSection(column, max(self.sizeHintForColumn(column), words))
        header.resizeSection(SPARSITY, BARS[0])
        wanted = min(header.sectionSize(LAYER), NAMES[1])
        left = self.viewport().width() - header.length() + header.sectionSize(LAYER)
        header.resizeSection(LAYER, max(min(wanted, left), NAMES[0]))
        spare = self.viewport().width() - header.length()
        header.resizeSection(SPARSITY, min(BARS[0] + max(spare, 0), BARS[1]))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names and bars take what is left."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A digit begins a number, Delete takes one away."""
        bound = COLUMNS[max(self.currentIndex().column(), 0)].bound
        if event.key() == Qt.Key.Key_Delete and self.selected():
            self.cleared.emit(self.selected(), bound)
        elif event.text() and event.text() in STARTS and self._begin(event.text()):
            event.accept()
        else:
            super().keyPressEvent(event)

    def edit_bound(self, column: int) -> None:
        """Type a bound of the current layer, for all selected ones."""
        self.columns.reveal(TITLES[column])
        rows = (self.currentIndex(), *self.selectionModel().selectedRows(LAYER))
        cells = (index.siblingAtColumn(column) for index in rows)
        editable = Qt.ItemFlag.ItemIsEditable
        index = next((each for each in cells if each.flags() & editable), None)
        if index is not None:
            self.scrollTo(index)
            self.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.NoUpdate
            )
            self.edit(index)

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

    def _begin(self, text: str) -> bool:
        """Edit with this as its first character."""
        column = self.currentIndex().column()
        self.edit_bound(column if COLUMNS[column].bound else TARGET)
        editor = self.focusWidget() if self.state() == self.State.EditingState else None
        if not isinstance(editor, QLineEdit):
            return False
        editor.setText(text)
        return True

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            name = current.siblingAtColumn(LAYER).data(Qt.ItemDataRole.UserRole)
            self.layer_chosen.emit(name)

    def _copy(self) -> None:
        """Put the selected rows on the clipboard, exact numbers, tabs between."""
        lines = ["\t".join(TITLES)]
        by_name = {info.name: row for row, info in enumerate(self._layers.layers)}
        for name in self.selected():
            lines.append("\t".join(self._layers.cells(by_name[name])))
        if len(lines) > 1:
            QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
