"""Titled: a table whose columns have a title, and a sentence that explains it."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter  # for numbers


class TitledModel(QAbstractTableModel):
    """The head of a table; rows and what is in them are its children's.

    Attributes:
        titles: Of the columns.
        tips: What each column means.
    """

    titles: tuple[str, ...] = ()
    tips: tuple[str, ...] = ()

    def columnCount(self, parent: Index = ROOT) -> int:
        """As many as there are titles."""
        return 0 if parent.isValid() else len(self.titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        """Title and explanation of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        texts = {Role.DisplayRole: self.titles, Role.ToolTipRole: self.tips}
        return texts[role][section] if role in texts else None
