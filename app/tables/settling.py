"""Settling table: how far each layer's removed weights depend on the gradients."""

from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import percent, short
from engine.looking.settling import Settling

FIRST = ("Layer", "Bootstrap")
HELP = (
    "Parameter name",
    "Overlap of what the target removes by bootstrap samples of the gradients with "
    "what it removes by all of them: the mean, intersection over union",
)


class SettlingModel(TitledModel):
    """An adapter over a `Settling`; `UserRole` sorts."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple] = []
        self._name(())

    @property
    def names(self) -> list[str]:
        """Of the layers."""
        return [row[0] for row in self._rows]

    def rows(self) -> list[tuple]:
        """Name, numbers as the columns have them, and the least overlap of each."""
        return self._rows

    def show(self, settled: Settling | None) -> None:
        """Show these; the selection stays while the layers are the same."""
        rows, parts = [], ()
        if settled is not None:
            parts = settled.parts[:-1]
            for place, layer in enumerate(settled.layers):
                by = tuple(each[place] for each in settled.overlaps[:-1])
                rows.append((layer.name, layer.mean, *by, layer.least))
        same = parts == self.parts and [row[0] for row in rows] == self.names
        if same and rows:
            self._rows = rows
            last = self.index(len(rows) - 1, len(self.titles) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._rows = rows
        self._name(parts)
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        value = self._rows[index.row()][index.column()]
        if role == Role.UserRole:
            return value
        if role == Role.ToolTipRole:
            least = percent(self._rows[index.row()][-1])
            return f"{self._rows[index.row()][0]}\nLeast overlap of a sample: {least}"
        if role == Role.DisplayRole:
            return percent(value) if index.column() else short(value)
        if role == Role.TextAlignmentRole and index.column():
            return RIGHT
        return None

    def _name(self, parts: tuple[int, ...]) -> None:
        """Have a column for each of these numbers of gradients."""
        self.parts = parts
        self.titles = (*FIRST, *(f"By {part}" for part in parts))
        told = "Overlap of what {} of the gradients remove with what all do"
        self.tips = (*HELP, *(told.format(part) for part in parts))
