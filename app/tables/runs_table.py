"""Runs table: the item model of runs side by side, with notes to edit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QObject,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPixmap

from app import palette
from app.plots.looks import look
from app.records.runs import Entry
from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import accuracy, clock, count, exact, number, percent, stored
from engine import Digest

STATES = {
    "done": "Done",
    "stopped": "Stopped",
    "failed": "Failed",
    "running": "Running",
    "interrupted": "Interrupted",
    "missing": "Missing",
    "unreadable": "Unreadable",
}
SERIOUS = ("failed", "missing", "unreadable")
CHIP = 12  # pixels of the colour beside a name


@dataclass(frozen=True)
class Column:
    """One column: how a run's value is found, shown and sorted."""

    title: str
    help: str
    value: Callable[[Digest], Any]
    text: Callable[[Any], str] = str
    tip: Callable[[Any], str] | None = None

    @property
    def is_number(self) -> bool:
        """Whether it stands on the right."""
        return self.text is not str


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def _macs(value: float) -> str:
    return count(round(value))


def _whole(value: float) -> str:
    return exact(round(value))


COLUMNS = (
    Column("Run", "Name of the run folder", lambda d: d.folder.name),
    Column("State", "How the run ended, or that it has not", lambda d: d.state,
           lambda state: STATES[state]),
    Column("Final %", "Test accuracy at the end", lambda d: d.final.accuracy, accuracy),
    Column("Sparsity", "Share of the prunable weights that is zero",
           lambda d: d.sparsity, percent),
    Column("Method", "What told which weights matter", lambda d: d.method),
    Column("Dense %", "Test accuracy before pruning", lambda d: d.dense.accuracy,
           accuracy),
    Column("Pruned %", "Test accuracy after the last prune, before fine-tuning",
           lambda d: d.pruned.accuracy, accuracy),
    Column("MACs left", "Multiply-accumulates of one image that are left",
           lambda d: d.macs, _macs, _whole),
    Column("Bytes", "Of all parameters with 32-bit weights, pruned layers stored as "
           "values and one bit a weight", lambda d: d.bytes, stored, _whole),
    Column("Target", "Sparsity that was asked for, and how it spreads",
           lambda d: d.target),
    Column("Schedule", "When it was pruned", lambda d: d.schedule),
    Column("Final loss", "Test loss at the end", lambda d: d.final.loss, number),
    Column("Dense loss", "Test loss before pruning", lambda d: d.dense.loss, number),
    Column("Pruned loss", "Test loss after the last prune, before fine-tuning",
           lambda d: d.pruned.loss, number),
    Column("Time", "Of work", lambda d: d.seconds, clock, "{:.1f} seconds".format),
    Column("Date", "When the run began", lambda d: d.began, _day),
    Column("Notes", "Yours; kept in the run folder (F2 or a double click edits them)",
           lambda d: d.notes),
)  # fmt: skip
TITLES = tuple(column.title for column in COLUMNS)
RUN, STATE, NOTES = 0, 1, TITLES.index("Notes")


class RunsTableModel(TitledModel):
    """An adapter over a list of runs; edits and clicks ask, they change nothing."""

    titles = tuple(column.title for column in COLUMNS)
    tips = tuple(column.help for column in COLUMNS)

    noted = Signal(object, str)  # Path, what the person wrote
    toggled = Signal(object, bool)  # Path, whether it should be drawn

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self._folders: list[Path] = []

    def set_entries(self, entries: list[Entry]) -> None:
        """Show these; the selection stays while the folders are the same."""
        folders = [entry.folder for entry in entries]
        if folders != self._folders:
            self.beginResetModel()
            self.entries, self._folders = entries, folders
            self.endResetModel()
            return
        self.entries = entries
        self.touch()

    def touch(self) -> None:
        """Show everything anew, such as in other colours."""
        if self.entries:
            last = self.index(len(self.entries) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: Index = ROOT) -> int:
        """Runs."""
        return 0 if parent.isValid() else len(self.entries)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Names have a check box, notes can be edited."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == RUN:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        if index.column() == NOTES:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: object, role: int = Role.EditRole) -> bool:
        """Ask for notes to be kept, or a run to be drawn."""
        entry = self.entries[index.row()]
        if role == Role.CheckStateRole:
            checked = Qt.CheckState(value) == Qt.CheckState.Checked
            self.toggled.emit(entry.folder, checked)
            return True
        if role == Role.EditRole and index.column() == NOTES:
            if str(value).strip() != self._value(entry, NOTES):
                self.noted.emit(entry.folder, str(value))
            return True
        return False

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        entry, column = self.entries[index.row()], index.column()
        value = self._value(entry, column)
        match role:
            case Role.DisplayRole:
                return self._text(entry, column)
            case Role.EditRole if column == NOTES:
                return value
            case Role.CheckStateRole if column == RUN:
                drawn = entry.drawn
                return Qt.CheckState.Checked if drawn else Qt.CheckState.Unchecked
            case Role.DecorationRole if column == RUN:
                return _chip(entry)
            case Role.ToolTipRole:
                return self._tip(entry, column)
            case Role.TextAlignmentRole if COLUMNS[column].is_number and column > STATE:
                return RIGHT
            case Role.ForegroundRole:
                return self._colour(entry, column)
        return None

    def key(self, row: int, column: int) -> Any:
        """What a cell sorts by; None is unknown."""
        return self._value(self.entries[row], column)

    def rows(self) -> list[tuple]:
        """All runs with every column, exact; what is unknown is empty."""
        found = []
        for entry in self.entries:
            values = (self._value(entry, column) for column in range(len(COLUMNS)))
            row = ["" if value is None else value for value in values]
            found.append((str(entry.folder), *row))
        return found

    def _value(self, entry: Entry, column: int) -> Any:
        if entry.digest is None:
            return entry.name if column == RUN else None
        return COLUMNS[column].value(entry.digest)

    def _text(self, entry: Entry, column: int) -> str:
        value = self._value(entry, column)
        if entry.digest is None and column == STATE:
            return "Reading\N{HORIZONTAL ELLIPSIS}"
        return "" if value is None else COLUMNS[column].text(value)

    def _tip(self, entry: Entry, column: int) -> str:
        value = self._value(entry, column)
        if column in (RUN, STATE) and entry.digest is not None:
            return f"{entry.folder}\n{entry.digest.problem or entry.trouble}".strip()
        exactly = COLUMNS[column].tip
        if exactly and value is not None:
            return exactly(value)
        return self._text(entry, column)

    def _colour(self, entry: Entry, column: int) -> QColor | None:
        colours, digest = palette.current(), entry.digest
        if digest is None or (digest.state != "done" and column != STATE):
            return QColor(colours.muted)
        if column == STATE and digest.state in SERIOUS:
            return QColor(colours.error)
        if column == STATE and (digest.problem or digest.state != "done"):
            return QColor(colours.warning)
        return None


def _chip(entry: Entry) -> QPixmap:
    """The run's colour; an empty frame where it is not drawn."""
    colour = QColor(look(entry.number)[0])
    chip = QPixmap(2 * CHIP, 2 * CHIP)
    chip.setDevicePixelRatio(2)
    chip.fill(Qt.GlobalColor.transparent)
    painter = QPainter(chip)
    painter.setPen(colour)
    painter.setBrush(colour if entry.drawn else Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(1, 1, CHIP - 3, CHIP - 3))
    painter.end()
    return chip
