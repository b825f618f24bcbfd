"""Compare grid: the item model of methods x sparsities, filled as cells come in."""

from dataclasses import replace

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor, QFont

from app import palette
from app.tables.units import number
from engine.comparing.cells import Cell, Group, groups
from engine.words.events import outcome

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()


class CompareGridModel(QAbstractTableModel):
    """An adapter over the cells of a comparison; seeds are gathered in one entry."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cells: dict[tuple[str, float, int], Cell] = {}
        self.methods: tuple[str, ...] = ()
        self.sparsities: tuple[float, ...] = ()
        self.groups: dict[tuple[str, float], Group] = {}
        self._running: tuple[str, float] | None = None

    def set_cells(self, cells: tuple[Cell, ...]) -> None:
        """Show another comparison."""
        self.beginResetModel()
        self.cells = {cell.key: cell for cell in cells}
        self.methods = tuple(dict.fromkeys(cell.method for cell in cells))
        self.sparsities = tuple(sorted({cell.sparsity for cell in cells}))
        self._running = None
        self._gather()
        self.endResetModel()

    def set_running(self, cell: Cell | None) -> None:
        """Mark the entry that is worked on."""
        self._running = (cell.method, cell.sparsity) if cell else None
        if cell:  # what failed before is tried again
            self.cells[cell.key] = replace(cell, error="")
        self._change()

    def set_result(self, cell: Cell) -> None:
        """Fill a cell."""
        self.cells[cell.key] = cell
        self._change()

    def of(self, index: Index) -> list[Cell]:
        """The cells of an entry, one per seed."""
        key = self._key(index)
        return [c for c in self.cells.values() if (c.method, c.sparsity) == key]

    def rowCount(self, parent: Index = ROOT) -> int:
        """Methods."""
        return 0 if parent.isValid() else len(self.methods)

    def columnCount(self, parent: Index = ROOT) -> int:
        """Sparsities."""
        return 0 if parent.isValid() else len(self.sparsities)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        """Name of a method, or a sparsity."""
        if role == Role.DisplayRole:
            if orientation == Qt.Orientation.Vertical:
                return self.methods[section]
            return f"{number(100 * self.sparsities[section])} %"
        if role == Role.ToolTipRole and orientation == Qt.Orientation.Horizontal:
            return "Sparsity; below it test accuracy in percent"
        return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """Mean and spread; how each seed ended as the tooltip."""
        group = self.groups[self._key(index)]
        match role:
            case Role.DisplayRole:
                return self._words(group)
            case Role.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignCenter
            case Role.ToolTipRole:
                seeds = (f"Seed {c.seed}: {outcome(c)}" for c in self.of(index))
                return "\n".join([f"{group.method}, {self._at(index)}", *seeds])
            case Role.AccessibleTextRole:
                return f"{group.method}, {self._at(index)}: {self._words(group)}"
            case Role.ForegroundRole if group.failed:
                return QColor(palette.current().error)
            case Role.FontRole if group.final and self._best(group):
                font = QFont()
                font.setBold(True)
                return font
        return None

    def _words(self, group: Group) -> str:
        running = self._running == (group.method, group.sparsity)
        words = []
        if group.final:
            spread = group.final.deviation
            more = "" if spread is None else f" \N{PLUS-MINUS SIGN} {spread:.2f}"
            words.append(f"{group.final.mean:.2f}{more}")
        missing = group.final and group.final.count < group.total
        if missing and not group.failed:
            words.append(f"({group.final.count} of {group.total})")
        if group.failed:
            words.append(f"{group.failed} failed" if group.total > 1 else "failed")
        if running:
            words.append("\N{HORIZONTAL ELLIPSIS}")
        return " ".join(words)

    def _best(self, group: Group) -> bool:
        """Whether no method does better at this sparsity."""
        others = (self.groups[method, group.sparsity] for method in self.methods)
        return all(o.final is None or o.final.mean <= group.final.mean for o in others)

    def _at(self, index: Index) -> str:
        return f"{number(100 * self.sparsities[index.column()])} %"

    def _key(self, index: Index) -> tuple[str, float]:
        return self.methods[index.row()], self.sparsities[index.column()]

    def _gather(self) -> None:
        told = groups(self.cells.values())
        self.groups = {(group.method, group.sparsity): group for group in told}

    def _change(self) -> None:
        self._gather()
        if self.methods:
            last = self.index(len(self.methods) - 1, len(self.sparsities) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
