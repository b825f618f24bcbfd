"""Movers: the survivors that take over from a removed weight, as a table."""

from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import PREDICTED, number, short, signed
from engine.looking.layer_weights import Mover

COLUMNS = ("Survivor", "Now", "Moves by", "Would be")
HELP = (
    "Its place by dimension, and its layer where that is another one",
    "The weight as it is",
    "What compensation would add to it",
    "The weight after that; nothing of it is measured",
)


class MoversModel(TitledModel):
    """An adapter over survivors, the one that moves furthest first."""

    titles, tips = COLUMNS, HELP

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

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows."""
        mover, column = self.movers[index.row()], index.column()
        if role == Role.DisplayRole:
            return (
                self._places[index.row()],
                number(mover.before),
                f"{PREDICTED} {signed(mover.move)}",
                f"{PREDICTED} {number(mover.before + mover.move)}",
            )[column]
        if role == Role.ToolTipRole and column == 0:
            return f"{short(mover.layer)}, {self._places[index.row()]}"
        if role == Role.TextAlignmentRole and column:
            return RIGHT
        return None
