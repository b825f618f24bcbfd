"""Class table: what each class has lost, as a table."""

from math import isnan

from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import accuracy, count
from engine.looking.classes import ClassChange

COLUMNS = ("Class", "Images", "Before", "After", "Change", "Std. error")
CHANGE = 4
HELP = (
    "Name of the class",
    "Images of it that were looked at",
    "Named right before",
    "Named right after",
    "Of the accuracy, in points",
    "Standard error of the change in points: the same images are looked at twice",
)


def points(value: float, sign: bool = True) -> str:
    """`-3.1`, with a true minus; unknown where there is none."""
    if isnan(value):
        return "unknown"
    value = round(value, 1)
    text = f"{value:+.1f}" if sign and value else f"{abs(value):.1f}"
    return text.replace("-", "\N{MINUS SIGN}")


class ClassTableModel(TitledModel):
    """An adapter over classes; the first row is the one that loses most."""

    titles, tips = COLUMNS, HELP

    def __init__(self) -> None:
        super().__init__()
        self.classes: tuple[ClassChange, ...] = ()

    def set_classes(self, classes: tuple[ClassChange, ...]) -> None:
        """Show these."""
        self.beginResetModel()
        self.classes = classes
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Classes."""
        return 0 if parent.isValid() else len(self.classes)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        each, column = self.classes[index.row()], index.column()
        before, after = each.accuracies
        if role == Role.UserRole:
            values = (each.name, each.images, before, after, each.change, each.error)
            value = values[column]
            return float("inf") if value != value else value  # unknown comes last
        if role == Role.DisplayRole:
            return (
                each.name, count(each.images), accuracy(before), accuracy(after),
                points(each.change), points(each.error, sign=False),
            )[column]  # fmt: skip
        if role == Role.TextAlignmentRole and column:
            return RIGHT
        return None
