"""Layer table: the item model of every layer, its state and whether it is pruned."""

from dataclasses import replace

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor

from app import palette
from app.tables.bars import FRACTION
from app.tables.exclusion import BY_RECIPE, Patterns, covering, is_fixed
from app.tables.units import count, exact, percent, shape, short
from engine.events import LayerInfo, LayerState

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROOT = QModelIndex()
COLUMNS = (
    "Layer", "Type", "Shape", "Weights", "MACs", "Zeros", "Sparsity", "Status",
    "Override",
)  # fmt: skip
LAYER, TYPE, SHAPE, WEIGHTS, MACS, ZEROS, SPARSITY, STATUS, OVERRIDE = range(
    len(COLUMNS)
)
NUMBERS = (WEIGHTS, MACS, ZEROS, SPARSITY, OVERRIDE)
HELP = (
    "Parameter name; the check box says whether the layer is pruned",
    "Type of the module",
    "Shape of the weight",
    "Weights in the layer",
    "Multiply-accumulates for one image",
    "Weights that are exactly zero now",
    "Share of the weights that are zero now",
    "Prunable, excluded, or not supported; point at a cell for the reason",
    "The sparsity that was set for this layer alone, such as by moving its cut",
)


class LayerTableModel(QAbstractTableModel):
    """An adapter over plain lists; a click on a check box asks, it changes nothing."""

    toggled = Signal(str, bool)  # parameter name, whether it should be pruned

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layers: list[LayerInfo] = []
        self._patterns: Patterns = ()
        self._overrides: dict[str, float] = {}
        self._locked = False

    def set_layers(self, layers: tuple[LayerInfo, ...]) -> None:
        """Show another network, or the same one anew without losing the selection."""
        if [info.name for info in layers] == [info.name for info in self.layers]:
            self.layers = list(layers)
            self._touch(*range(len(COLUMNS)))
            return
        self.beginResetModel()
        self.layers = list(layers)
        self.endResetModel()

    def set_states(self, states: tuple[LayerState, ...]) -> None:
        """Show how many zeros the pruned layers have now."""
        zeros = {state.name: state.zeros for state in states}
        self.layers = [
            replace(info, zeros=zeros.get(info.name, info.zeros))
            for info in self.layers
        ]
        self._touch(ZEROS, SPARSITY)

    def set_patterns(self, patterns: Patterns) -> None:
        """Show what the recipe excludes."""
        if patterns != self._patterns:
            self._patterns = patterns
            self._touch(LAYER, STATUS)

    def set_overrides(self, overrides: dict[str, float]) -> None:
        """Show the sparsities that were set for single layers, by name."""
        if overrides != self._overrides:
            self._overrides = overrides
            self._touch(OVERRIDE)

    def set_locked(self, locked: bool) -> None:
        """Refuse clicks while a run goes on."""
        self._locked = locked
        self._touch(LAYER, STATUS)

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

    def cells(self, row: int) -> tuple[str, ...]:
        """A row for a spreadsheet: full name, exact numbers, sparsity as a fraction."""
        info = self.layers[row]
        return (
            info.name, info.kind, shape(info.shape), str(info.weights), str(info.macs),
            str(info.zeros), repr(_sparsity(info)), self.status(row),
            repr(self._overrides[info.name]) if info.name in self._overrides else "",
        )  # fmt: skip

    def find(self, name: str) -> QModelIndex:
        """The index of a layer's name, or an invalid one."""
        names = [info.name for info in self.layers]
        return self.index(names.index(name), LAYER) if name in names else QModelIndex()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Layers."""
        return 0 if parent.isValid() else len(self.layers)

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
        return COLUMNS[section] if role == Role.DisplayRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Prunable and excluded layers have a check box unless a run goes on."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        open_ = not self.is_fixed(index.row()) and not self._locked
        if index.column() == LAYER and open_:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(self, index: Index, value: object, role: int = Role.EditRole) -> bool:
        """Ask for a layer to be pruned or left dense."""
        if role != Role.CheckStateRole:
            return False
        checked = Qt.CheckState(value) == Qt.CheckState.Checked
        self.toggled.emit(self.layers[index.row()].name, checked)
        return True

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What a cell shows, and under `UserRole` what it sorts by."""
        info, column = self.layers[index.row()], index.column()
        match role:
            case Role.DisplayRole:
                return self._text(index.row(), column)
            case Role.UserRole:
                return self._key(index.row(), column)
            case Role.CheckStateRole if column == LAYER:
                return self._check(index.row())
            case Role.ToolTipRole:
                return self._tip(index.row(), column)
            case Role.TextAlignmentRole if column in NUMBERS:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case Role.ForegroundRole if self.status(index.row()) != "prunable":
                return QColor(palette.current().muted)
        bar = role == FRACTION and column == SPARSITY
        return _sparsity(info) if bar and not self.is_fixed(index.row()) else None

    def _text(self, row: int, column: int) -> str:
        info = self.layers[row]
        return (
            short(info.name), info.kind, shape(info.shape), count(info.weights),
            count(info.macs), count(info.zeros), percent(_sparsity(info)),
            self.status(row).capitalize(),
            percent(self._overrides[info.name]) if info.name in self._overrides else "",
        )[column]  # fmt: skip

    def _key(self, row: int, column: int) -> object:
        info = self.layers[row]
        return (
            info.name, info.kind, info.weights, info.weights, info.macs, info.zeros,
            _sparsity(info), self.status(row), self._overrides.get(info.name, -1.0),
        )[column]  # fmt: skip

    def _check(self, row: int) -> Qt.CheckState | None:
        if self.is_fixed(row):
            return None
        status = self.status(row)
        return (
            Qt.CheckState.Checked if status == "prunable" else Qt.CheckState.Unchecked
        )

    def _tip(self, row: int, column: int) -> str:
        info, status = self.layers[row], self.status(row)
        if column in (WEIGHTS, MACS, ZEROS):
            return exact((info.weights, info.macs, info.zeros)[column - WEIGHTS])
        reason = info.reason
        if not self.is_fixed(row):
            pattern = self._pattern(info)
            shared = "" if info.status == "excluded" else reason
            reason = f"{BY_RECIPE}{pattern}" if status == "excluded" else shared
        return f"{info.name}\n{reason[:1].upper()}{reason[1:]}".strip()

    def _touch(self, *columns: int) -> None:
        if self.layers:
            last = len(self.layers) - 1
            for column in columns:
                self.dataChanged.emit(self.index(0, column), self.index(last, column))


def _sparsity(info: LayerInfo) -> float:
    return info.zeros / info.weights if info.weights else 0.0
