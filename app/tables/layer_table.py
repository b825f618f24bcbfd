"""Layer table: the item model of every layer, its state, its bounds and warnings."""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor

from app import palette
from app.tables.bars import FORETOLD, FRACTION
from app.tables.exclusion import BY_RECIPE, Patterns, covering, is_fixed
from app.tables.layer_rows import COLUMNS, LAYER, SHAPE, SPARSITY, Foretold, Limits, Row
from app.tables.titled import RIGHT, ROOT, Index, Role, TitledModel
from app.tables.units import shape
from engine.events import LayerInfo, LayerState
from engine.facts import LayerStability


class LayerTableModel(TitledModel):
    """An adapter over plain lists; clicks and edits ask, they change nothing."""

    titles = tuple(column.title for column in COLUMNS)
    tips = tuple(column.help for column in COLUMNS)

    toggled = Signal(str, bool)  # parameter name, whether it should be pruned
    typed = Signal(str, str, str)  # parameter name, which bound, what was typed

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layers: list[LayerInfo] = []
        self._patterns: Patterns = ()
        self._limits: Mapping[str, Limits] = {}
        self._foretold: Mapping[str, Foretold] = {}
        self._empty: Mapping[str, int | None] = {}
        self._stability: Mapping[str, LayerStability] = {}
        self._warnings: Mapping[str, str] = {}
        self._locked = False

    def set_layers(self, layers: tuple[LayerInfo, ...]) -> None:
        """Show another network, or the same one anew without losing the selection."""
        self._empty = {}
        if [info.name for info in layers] == [info.name for info in self.layers]:
            self.layers = list(layers)
            self._touch()
            return
        self.beginResetModel()
        self.layers = list(layers)
        self.endResetModel()

    def set_states(self, states: tuple[LayerState, ...]) -> None:
        """Show how many zeros the pruned layers have now."""
        zeros = {state.name: state.zeros for state in states}
        self._empty = {state.name: state.empty for state in states}
        self.layers = [
            replace(info, zeros=zeros.get(info.name, info.zeros))
            for info in self.layers
        ]
        self._touch()

    def set_recipe(self, patterns: Patterns, limits: Mapping[str, Limits]) -> None:
        """Show what the recipe excludes and bounds."""
        if (patterns, limits) != (self._patterns, self._limits):
            self._patterns, self._limits = patterns, limits
            self._touch()

    def set_foretold(self, foretold: Mapping[str, Foretold]) -> None:
        """Show what the next prune would leave."""
        if foretold != self._foretold:
            self._foretold = foretold
            self._touch()

    def set_stability(self, stability: Mapping[str, LayerStability]) -> None:
        """Show how stable the newest masks are."""
        self._stability = stability
        self._touch()

    def set_warnings(self, warnings: Mapping[str, str]) -> None:
        """Show in red what is about to disappear."""
        if warnings != self._warnings:
            self._warnings = warnings
            self._touch()

    def set_locked(self, locked: bool) -> None:
        """Refuse clicks and edits while a run goes on."""
        self._locked = locked
        self._touch()

    def row(self, number: int) -> Row:
        """All that is known of a layer."""
        info = self.layers[number]
        name = info.name
        return Row(
            info,
            self.status(number),
            self._limits.get(name, Limits()),
            self._foretold.get(name),
            self._empty.get(name),
            self._stability.get(name),
            self._warnings.get(name, ""),
        )

    def status(self, row: int) -> str:
        """`prunable`, `excluded` or `unsupported`, as the recipe says now."""
        info = self.layers[row]
        if self.is_fixed(row):
            return info.status
        return "excluded" if self._pattern(info) else "prunable"

    def is_fixed(self, row: int) -> bool:
        """Whether no recipe could have this layer pruned."""
        return is_fixed(self.layers[row])

    def _pattern(self, info: LayerInfo) -> str:
        """What excludes the layer; a shared weight may be meant by another name."""
        told = info.reason.removeprefix(BY_RECIPE) if info.status == "excluded" else ""
        shared = told if told in self._patterns else ""
        return covering(info.name, self._patterns) or shared

    def cells(self, number: int) -> tuple[str, ...]:
        """A row for a spreadsheet: full name, exact numbers, sparsity as a fraction."""
        row = self.row(number)
        keys = [column.key(row) for column in COLUMNS]
        keys[SHAPE] = shape(row.info.shape)
        return tuple("" if key is None else str(key) for key in keys)

    def find(self, name: str) -> QModelIndex:
        """The index of a layer's name, or an invalid one."""
        names = [info.name for info in self.layers]
        return self.index(names.index(name), LAYER) if name in names else QModelIndex()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.layers)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Prunable and excluded layers can be changed unless a run goes on."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if self._locked or self.is_fixed(index.row()):
            return flags
        if index.column() == LAYER:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        if COLUMNS[index.column()].bound:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: object, role: int = Role.EditRole) -> bool:
        """Ask for a layer to be pruned or left dense, or for a bound of it."""
        name, bound = self.layers[index.row()].name, COLUMNS[index.column()].bound
        if role == Role.CheckStateRole:
            checked = Qt.CheckState(value) == Qt.CheckState.Checked
            self.toggled.emit(name, checked)
            return True
        if role == Role.EditRole and bound:
            if value != index.data(Role.EditRole):
                self.typed.emit(name, bound, str(value))
            return True
        return False

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        row, number = self.row(index.row()), index.column()
        column = COLUMNS[number]
        match role:
            case Role.DisplayRole:
                return column.text(row)
            case Role.UserRole:
                key = column.key(row)
                return -1.0 if key is None else key
            case Role.EditRole if column.bound:
                key = column.key(row)
                return "" if key is None else f"{100 * key:.6g}"
            case Role.CheckStateRole if number == LAYER:
                return self._check(row)
            case Role.ToolTipRole:
                return self._tip(index.row(), number)
            case Role.TextAlignmentRole if column.is_number:
                return RIGHT
            case Role.ForegroundRole:
                return _colour(row)
        if number == SPARSITY and not is_fixed(row.info):
            if role == FRACTION:
                return row.sparsity
            if role == FORETOLD and row.foretold:
                return row.foretold.sparsity
        return None

    def _check(self, row: Row) -> Qt.CheckState | None:
        if is_fixed(row.info):
            return None
        pruned = row.status == "prunable"
        return Qt.CheckState.Checked if pruned else Qt.CheckState.Unchecked

    def _tip(self, number: int, column: int) -> str:
        row, tip = self.row(number), COLUMNS[column].tip
        if tip is not None:
            return tip(row)
        reason = row.info.reason
        if not self.is_fixed(number):
            shared = "" if row.info.status == "excluded" else reason
            excluded = row.status == "excluded"
            reason = f"{BY_RECIPE}{self._pattern(row.info)}" if excluded else shared
        told = (row.info.name, f"{reason[:1].upper()}{reason[1:]}", row.warning)
        return "\n".join(filter(None, told))

    def _touch(self) -> None:
        if self.layers:
            last = self.index(len(self.layers) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)


def _colour(row: Row) -> QColor | None:
    if row.warning:
        return QColor(palette.current().error)
    return QColor(palette.current().muted) if row.status != "prunable" else None
