"""Prices: what one more percent of each layer would cost, as a table."""

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.tables.units import count, percent, short, signed

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()
COLUMNS = ("Layer", "Weights", "Sparsity", "Predicted loss", "One more percent")
HELP = (
    "Parameter name",
    "Weights in the layer",
    "After the next prune, as it is foretold",
    "Sum of the saliencies that would go",
    "Sum of the saliencies of the next percent of this layer's weights; empty where "
    "there is none left",
)


@dataclass(frozen=True)
class Price:
    """One layer; `more` is None where no percent is left."""

    name: str
    weights: int
    sparsity: float
    loss: float
    more: float | None


class PricesModel(QAbstractTableModel):
    """An adapter over a list of prices."""

    def __init__(self) -> None:
        super().__init__()
        self.prices: list[Price] = []

    def set_prices(self, prices: list[Price]) -> None:
        """Show these; the selection stays while the layers are the same."""
        if [each.name for each in prices] == [each.name for each in self.prices]:
            self.prices = prices
            if prices:
                last = self.index(len(prices) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.prices = prices
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.prices)

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
        """What a cell shows, and under `UserRole` what it sorts by."""
        price, column = self.prices[index.row()], index.column()
        if role == Role.UserRole:
            more = float("inf") if price.more is None else price.more
            return (price.name, price.weights, price.sparsity, price.loss, more)[column]
        if role == Role.DisplayRole:
            more = "" if price.more is None else signed(price.more)
            return (
                short(price.name), count(price.weights), percent(price.sparsity),
                signed(price.loss), more,
            )[column]  # fmt: skip
        if role == Role.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
