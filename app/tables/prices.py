"""Prices: what one more percent of each layer would cost, as a table."""

from dataclasses import dataclass

from PySide6.QtCore import Qt

from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import percent, short, signed

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


class PricesModel(TitledModel):
    """An adapter over a list of prices."""

    tips = HELP

    def __init__(self) -> None:
        super().__init__()
        self.prices: list[Price] = []
        self.set_counted("")

    def set_counted(self, counted: str) -> None:
        """Name what the last column counts."""
        titles = tuple(title.format(counted) for title in COLUMNS)
        if titles != self.titles:
            self.titles = titles
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
            return RIGHT
        return None
