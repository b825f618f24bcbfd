"""Settling view: the table of layers whose removed weights depend on the gradients."""

from pathlib import Path

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from app.plots import export
from app.tables.dressing import dress, sort_by_header
from app.tables.settling import SettlingModel
from engine.looking.settling import Settling


class SettlingView(QTableView):
    """Sorts by any column; the current row is the selected layer."""

    layer_chosen = Signal(str)  # full parameter name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = SettlingModel()
        self._proxy = QSortFilterProxyModel(self)
        self._proxy.setSourceModel(self.layers)
        self._proxy.setSortRole(Qt.ItemDataRole.UserRole)
        self.setModel(self._proxy)
        dress(self, "Stability of each layer's removed weights")
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        sort_by_header(self)
        self.selectionModel().currentRowChanged.connect(self._choose)

    def show_settling(self, settled: Settling | None) -> None:
        """Show these layers; None is none."""
        self.layers.show(settled)

    def select(self, name: str) -> None:
        """Mark the selected layer."""
        if name in self.layers.names:
            index = self.layers.index(self.layers.names.index(name), 0)
            self.setCurrentIndex(self._proxy.mapFromSource(index))

    def save(self, path: Path) -> None:
        """Write the layers as CSV."""
        parts = (f"overlap_by_{part}" for part in self.layers.parts)
        columns = ("layer", "bootstrap_overlap", *parts, "bootstrap_least")
        export.save_table(columns, self.layers.rows(), path)

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            row = self._proxy.mapToSource(current).row()
            self.layer_chosen.emit(self.layers.names[row])
