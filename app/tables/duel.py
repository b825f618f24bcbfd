"""Duel table: how far two methods agree on each layer."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.tables.units import count, exact, number, percent, short
from engine import Duel

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()
COLUMNS = ("Layer", "Disputed", "Overlap", "Ranks", "Only", "Only")
HELP = (
    "Parameter name",
    "Weights that one of the methods alone removes",
    "Of the two removed sets: intersection over union (Jaccard)",
    "Spearman's correlation of the saliencies",
    "Weights that only {first} removes",
    "Weights that only {rival} removes",
)


class DuelModel(QAbstractTableModel):
    """An adapter over a `Duel`; `UserRole` sorts."""

    def __init__(self) -> None:
        super().__init__()
        self._duel: Duel | None = None

    @property
    def names(self) -> list[str]:
        """Of the layers."""
        return [each.name for each in self._duel.layers] if self._duel else []

    def rows(self) -> list[tuple]:
        """Name and numbers of every layer, as the columns have them."""
        layers = self._duel.layers if self._duel else ()
        return [
            (e.name, e.disputed, e.overlap, e.ranks, e.first, e.rival) for e in layers
        ]

    def show(self, duel: Duel) -> None:
        """Show this one."""
        self.beginResetModel()
        self._duel = duel
        self._rows = self.rows()
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() or not self._duel else len(self._duel.layers)

    def columnCount(self, parent: Index = ROOT) -> int:
        """Columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        """Title and explanation of a column."""
        if orientation != Qt.Orientation.Horizontal or self._duel is None:
            return None
        who = {4: self._duel.first, 5: self._duel.rival}.get(section, "")
        if role == Role.DisplayRole:
            return f"{COLUMNS[section]} {who}".strip()
        if role == Role.ToolTipRole:
            return HELP[section].format(first=self._duel.first, rival=self._duel.rival)
        return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        value, column = self._rows[index.row()][index.column()], index.column()
        if role == Role.UserRole:
            return value
        if role == Role.DisplayRole:
            ranks = number(round(self._rows[index.row()][3], 4))
            words = (short, count, percent, lambda _: ranks, count, count)
            return words[column](value)
        if role == Role.ToolTipRole:
            layer = self._duel.layers[index.row()]
            return (
                f"{layer.name}\n{exact(layer.disputed)} of {exact(layer.live)} weights "
                f"disputed, {exact(layer.both)} go by both"
            )
        if role == Role.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
