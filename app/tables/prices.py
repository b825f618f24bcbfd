"""Prices: what one more percent of each layer would cost, as a table."""

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.tables.units import percent, short, signed

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()
COLUMNS = (
    "Layer", "Sparsity", "Predicted", "+1 % layer", "\N{MINUS SIGN}1 % {}",
)  # fmt: skip
HELP = (
    "Parameter name",
    "After the next prune, as it is foretold",
    "Sum of the saliencies that would go",
    "Sum of the saliencies of the next percent of this layer's weights; empty where "
    "there is none left",
    "Loss of saving, in this layer alone, one percent of what the dense network uses "
    "of what the target under Profile counts; by measured losses where there are some. "
    "Empty where the layer has no so much to save, or was not timed",
)


@dataclass(frozen=True)
class Price:
    """One layer; None where a loss is unknown or nothing is left to pay for."""

    name: str
    sparsity: float
    loss: float | None
    more: float | None
    unit: float | None = None


class PricesModel(QAbstractTableModel):
    """An adapter over a list of prices."""

    def __init__(self) -> None:
        super().__init__()
        self.prices: list[Price] = []
        self._counted = ""

    def set_counted(self, counted: str) -> None:
        """Name what the last column counts."""
        if counted != self._counted:
            self._counted = counted
            last = len(COLUMNS) - 1
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, last, last)

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
        if role == Role.ToolTipRole:
            return HELP[section]
        named = COLUMNS[section].format(self._counted)
        return named if role == Role.DisplayRole else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        price, column = self.prices[index.row()], index.column()
        losses = (price.loss, price.more, price.unit)
        if role == Role.UserRole:
            keys = (float("inf") if each is None else each for each in losses)
            return (price.name, price.sparsity, *keys)[column]
        if role == Role.DisplayRole:
            words = ("" if each is None else signed(each) for each in losses)
            return (
                short(price.name), percent(price.sparsity),
                *words,
            )[column]  # fmt: skip
        if role == Role.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
