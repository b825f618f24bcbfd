"""Promise table: what each layer contributes to a predicted loss increase."""

from PySide6.QtCore import Qt

from app.tables.titled import RIGHT, ROOT, Index, TitledModel
from app.tables.units import exact, number, percent, short
from engine.events import LayerPromise

HEADERS = ("Layer", "Removed", "Sum of saliencies", "Exact joint", "Share")
SHARE = 4  # the column that tells where the loss comes from
TIPS = (
    "Prunable layer",
    "Weights this prune took",
    "Predicted loss increase as the sum of single saliencies",
    "Predicted loss increase of removing them together, others making up for them",
    "Of the predicted increase of all layers (exact joint where it is known)",
)


class PromiseTableModel(TitledModel):
    """An adapter over the layers of one prune; `UserRole` sorts, as numbers."""

    titles, tips = HEADERS, TIPS

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.layers: tuple[LayerPromise, ...] = ()

    def set_layers(self, layers: tuple[LayerPromise, ...]) -> None:
        """Show these."""
        if layers != self.layers:
            self.beginResetModel()
            self.layers = layers
            self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """One per layer."""
        return 0 if parent.isValid() else len(self.layers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole):
        """Words, numbers to sort by, alignment and the full name."""
        layer, column = self.layers[index.row()], index.column()
        values = (
            layer.name, layer.removed, layer.summed, layer.joint, self._share(layer),
        )  # fmt: skip
        value = values[column]
        if role == Qt.ItemDataRole.UserRole:
            return float("-inf") if value is None else value
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return RIGHT
        if role == Qt.ItemDataRole.ToolTipRole and not column:
            return layer.name
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if value is None:
            return "unknown"
        words = (short, exact, number, number, percent)
        return words[column](value)

    def _share(self, layer: LayerPromise) -> float | None:
        total = sum(_loss(each) for each in self.layers)
        return _loss(layer) / total if total > 0 else None


def _loss(layer: LayerPromise) -> float:
    return layer.summed if layer.joint is None else layer.joint
