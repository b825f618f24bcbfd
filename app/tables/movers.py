"""Movers: the survivors that take over from a removed weight, as a table."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.tables.units import number, short, signed
from engine.steering.layer_weights import Mover

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()
HOLLOW = "\N{WHITE CIRCLE} "
COLUMNS = ("Survivor", "Now", "Moves by", "Would be")
HELP = (
    "Its place by dimension, and its layer where that is another one",
    "The weight as it is",
    "What compensation would add to it",
    "The weight after that; nothing of it is measured",
)


class MoversModel(QAbstractTableModel):
    """An adapter over survivors, the one that moves furthest first."""

    def __init__(self) -> None:
        super().__init__()
        self.movers: tuple[Mover, ...] = ()
        self._places: tuple[str, ...] = ()

    def set_movers(self, movers: tuple[Mover, ...], places: tuple[str, ...]) -> None:
        """Show these, with words for where they are."""
        self.beginResetModel()
        self.movers, self._places = movers, places
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Survivors."""
        return 0 if parent.isValid() else len(self.movers)

    def columnCount(self, parent: Index = ROOT) -> int:
        """Columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        """Title and explanation of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        texts = {Role.DisplayRole: COLUMNS, Role.ToolTipRole: HELP}
        return texts[role][section] if role in texts else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows."""
        mover, column = self.movers[index.row()], index.column()
        if role == Role.DisplayRole:
            return (
                self._places[index.row()],
                number(mover.before),
                HOLLOW + signed(mover.move),
                HOLLOW + number(mover.before + mover.move),
            )[column]
        if role == Role.ToolTipRole and column == 0:
            return f"{short(mover.layer)}, {self._places[index.row()]}"
        if role == Role.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
