"""Log model: the newest lines of the log, all of them or warnings only."""

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor

from app import palette
from app.tables.log_lines import Line

CAP = 20_000  # lines kept; the run folder has them all
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
SERIOUS = ("warning", "error")


class LogModel(QAbstractListModel):
    """An adapter over a list of lines that forgets the oldest ones."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []
        self._shown: list[Line] = []
        self._only_warnings = False

    def extend(self, lines: list[Line]) -> None:
        """Append lines, and drop the oldest beyond `CAP`."""
        self._lines = [*self._lines, *lines][-CAP:]
        new = [line for line in lines if self._passes(line)][-CAP:]
        if not new:
            return
        surplus = len(self._shown) + len(new) - CAP
        if surplus > 0:
            self.beginRemoveRows(ROOT, 0, surplus - 1)
            del self._shown[:surplus]
            self.endRemoveRows()
        first = len(self._shown)
        self.beginInsertRows(ROOT, first, first + len(new) - 1)
        self._shown += new
        self.endInsertRows()

    def clear(self) -> None:
        """Forget everything."""
        self._lines = []
        self._refill()

    def set_only_warnings(self, only: bool) -> None:
        """Show warnings and errors alone, or everything."""
        self._only_warnings = only
        self._refill()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Lines shown."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A line's text, colour and tooltip."""
        line = self._shown[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return line.full
            case Qt.ItemDataRole.ToolTipRole:
                return line.text.strip()
            case Qt.ItemDataRole.ForegroundRole if line.level != "info":
                return QColor(getattr(palette.current(), line.level))
        return None

    def _passes(self, line: Line) -> bool:
        return not self._only_warnings or line.level in SERIOUS

    def _refill(self) -> None:
        self.beginResetModel()
        self._shown = [line for line in self._lines if self._passes(line)]
        self.endResetModel()
