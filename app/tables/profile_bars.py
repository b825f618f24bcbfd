"""Profile bars: the item model of layers and how sparse each shall be."""

from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from app.tables.units import percent, short

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()


@dataclass(frozen=True)
class Bar:
    """A layer.

    Attributes:
        name: Full parameter name.
        sparsity: After the next prune.
        before: Now.
        low, high: Floor and ceiling that the person gave.
        locked: Whether it stays as it is.
        drawn: Its sparsity before the last fit moved it; None where it did not.
    """

    name: str
    sparsity: float
    before: float
    low: float = 0.0
    high: float = 1.0
    locked: bool = False
    drawn: float | None = None


class ProfileModel(QAbstractListModel):
    """An adapter over the bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: list[Bar] = []

    def set_bars(self, bars: list[Bar]) -> None:
        """Show these; the selection stays while the layers are the same."""
        if [each.name for each in bars] == [each.name for each in self.bars]:
            self.bars = bars
            if bars:
                self.dataChanged.emit(self.index(0), self.index(len(bars) - 1))
            return
        self.beginResetModel()
        self.bars = bars
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.bars)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """The name, and in words what the bar shows."""
        bar = self.bars[index.row()]
        if role == Role.DisplayRole:
            return short(bar.name)
        if role == Role.AccessibleTextRole:
            return f"{short(bar.name)}, {percent(bar.sparsity)} sparse{_state(bar)}"
        if role == Role.ToolTipRole:
            return f"{bar.name}\n{percent(bar.sparsity)} sparse{_state(bar)}"
        return None


def _state(bar: Bar) -> str:
    """What else is to know, after a comma."""
    told = ", locked" if bar.locked else ""
    if bar.low > 0:
        told += f", floor {percent(bar.low)}"
    if bar.high < 1:
        told += f", ceiling {percent(bar.high)}"
    return told + (f", drawn at {percent(bar.drawn)}" if bar.drawn is not None else "")
