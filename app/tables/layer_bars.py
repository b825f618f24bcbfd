"""Layer bars: the item model of prunable layers and how much of each is gone."""

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from app.tables.bars import FRACTION
from app.tables.units import exact, number, percent, short
from engine.events import LayerInfo, LayerState

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()


class LayerBarsModel(QAbstractListModel):
    """An adapter over a list of `LayerState`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layers: tuple[LayerState, ...] = ()

    def set_layers(self, layers: tuple[LayerState, ...]) -> None:
        """Show these; the selection survives when the names are the same."""
        if [a.name for a in layers] == [b.name for b in self.layers]:
            self.layers = layers
            if layers:
                self.dataChanged.emit(self.index(0), self.index(len(layers) - 1))
            return
        self.beginResetModel()
        self.layers = layers
        self.endResetModel()

    def find(self, name: str) -> QModelIndex:
        """The index of a layer, or an invalid one."""
        names = [layer.name for layer in self.layers]
        return self.index(names.index(name)) if name in names else QModelIndex()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.layers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Name, fraction and tooltip of a layer."""
        layer = self.layers[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return short(layer.name)
            case Qt.ItemDataRole.UserRole:
                return layer.name
            case Qt.ItemDataRole.ToolTipRole:
                return _details(layer)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{layer.name}, {percent(layer.sparsity)} sparse"
        return layer.sparsity if role == FRACTION else None


def untouched(layers: tuple[LayerInfo, ...]) -> tuple[LayerState, ...]:
    """The prunable layers as they are before the first prune."""
    return tuple(
        LayerState(info.name, info.weights, info.zeros, info.zeros / info.weights)
        for info in layers
        if info.status == "prunable"
    )


def _details(layer: LayerState) -> str:
    lines = [
        layer.name,
        f"{exact(layer.zeros)} of {exact(layer.weights)} weights are zero "
        f"({percent(layer.sparsity)})",
    ]
    if layer.threshold is not None:
        lines.append(f"Least kept saliency {number(layer.threshold)}")
    return "\n".join(lines)
