"""Duel table: how far two methods agree on each layer."""

from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import count, exact, percent, short
from engine import Duel

COLUMNS = ("Layer", "Disputed", "Overlap", "Ranks")
HELP = (
    "Parameter name",
    "Weights that one of the methods alone removes",
    "Of the two removed sets: intersection over union (Jaccard)",
    "Spearman's correlation of the saliencies",
)


class DuelModel(TitledModel):
    """An adapter over a `Duel`; `UserRole` sorts."""

    titles, tips = COLUMNS, HELP

    def __init__(self) -> None:
        super().__init__()
        self._duel: Duel | None = None

    @property
    def names(self) -> list[str]:
        """Of the layers."""
        return [each.name for each in self._duel.layers] if self._duel else []

    def rows(self) -> list[tuple]:
        """Name and numbers of every layer as the columns have them, then both sides."""
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

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        value, column = self._rows[index.row()][index.column()], index.column()
        if role == Role.UserRole:
            return value
        if role == Role.DisplayRole:
            words = (short, count, percent, "{:.4f}".format)
            return words[column](value)
        if role == Role.ToolTipRole:
            layer, duel = self._duel.layers[index.row()], self._duel
            return (
                f"{layer.name}\n{exact(layer.both)} of {exact(layer.live)} weights go "
                f"by both, {exact(layer.first)} by {duel.first} alone, "
                f"{exact(layer.rival)} by {duel.rival} alone"
            )
        if role == Role.TextAlignmentRole and column:
            return RIGHT
        return None
