"""Promises panel: how far to trust predicted losses, prune by prune."""

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.base import small_font
from app.plots.empty import EmptyState
from app.plots.promises import PromisesFigure
from app.records.promises import (
    COLUMNS,
    KINDS,
    MEANING,
    NAMES,
    Promises,
    sentence,
    tried,
)
from app.tables.dressing import dress
from app.tables.promise_table import SHARE, PromiseTableModel
from app.tables.units import percent
from app.view import Table, View
from app.workspace import Workspace
from engine.events import Event

REDRAW = 60  # milliseconds between two drawings
EMPTY = (
    "Press Start, or open a run folder: after every prune this shows the loss increase "
    "that was predicted beside the one that was measured."
)
UNTOLD = (
    "This method does not tell layers apart in its prediction. WoodFisher, for one, "
    "does."
)


class PromisesPanel(View):
    """Keeps every prune's promise; one prune is chosen, the newest unless asked."""

    FILE = "promises.png"

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.promises = Promises()
        self._dirty = False
        self.figure = PromisesFigure()
        self.kinds, self.steps = QComboBox(), QComboBox()
        for kind in KINDS:
            self.kinds.addItem(f"Ratio to {NAMES[kind]}", kind)
        self.kinds.setToolTip("Which prediction the measurement is divided by")
        self.kinds.setAccessibleName("Prediction")
        self.steps.setToolTip("Which prune; the newest unless you choose another")
        self.steps.setAccessibleName("Prune")
        self.steps.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.text = QLabel(wordWrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.model = PromiseTableModel(self)
        self.table = self._table()
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self.catch_up)
        self._lay_out()
        self.kinds.activated.connect(self._redraw)
        self.steps.activated.connect(self._redraw)
        self.figure.chosen.connect(self._choose)
        self.table.selectionModel().currentRowChanged.connect(self._choose_layer)
        workspace.layer_selected.connect(self._select_layer)
        reset = QShortcut(QKeySequence("A"), self)
        reset.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        reset.activated.connect(self.figure.reset_view)
        bridge.on(Event, self._add)
        bridge.cleared.connect(self._clear)

    def picture(self) -> QWidget:
        """The plots and their legend as they are now."""
        self.catch_up()
        return self.figure

    def numbers(self) -> Table:
        """Every prune and every layer of it."""
        return COLUMNS, self.promises.rows()

    def _table(self) -> QTableView:
        proxy = QSortFilterProxyModel(self)
        proxy.setSourceModel(self.model)
        proxy.setSortRole(Qt.ItemDataRole.UserRole)
        table = QTableView()
        table.setModel(proxy)
        table.horizontalHeader().setSortIndicator(SHARE, Qt.SortOrder.DescendingOrder)
        table.setSortingEnabled(True)
        dress(table, "Predicted loss of each layer")
        table.setFrameShape(QTableView.Shape.NoFrame)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicatorClearable(True)
        return table

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.steps)
        bar.addWidget(self.kinds)
        bar.addStretch(1)
        for text, tip, slot in (
            ("Reset view", "Show every prune (A)", self.figure.reset_view),
            ("Save…", "A picture (PNG, SVG) or every prune and layer (CSV)", self.ask),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        meaning = QLabel(MEANING, wordWrap=True)
        for label in (self.text, meaning):
            label.setContentsMargins(8, 2, 8, 2)
        meaning.setFont(small_font())
        meaning.setObjectName("meaning")
        upper = QWidget()
        above = QVBoxLayout(upper)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(2)
        for part in (self.text, meaning):
            above.addWidget(part)
        above.insertWidget(1, self.figure, 1)
        self._layers = EmptyState(self.table, UNTOLD)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(upper)
        self.parts.addWidget(self._layers)
        self.parts.setSizes([300, 120])
        self.parts.setStretchFactor(0, 1)
        self.parts.setChildrenCollapsible(False)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.parts, 1)
        self._stack = self.fill(content, EMPTY)

    def _add(self, events: list[Event]) -> None:
        newest = self.steps.currentIndex() == self.steps.count() - 1
        chosen = self.steps.currentData()
        if not self.promises.add(events):
            return
        self.steps.clear()
        for each in self.promises.all:
            name = f"Prune {each.step}, {percent(each.sparsity)}"
            self.steps.addItem(name, each.step)
        kept = -1 if newest else self.steps.findData(chosen)
        self.steps.setCurrentIndex(kept if kept >= 0 else self.steps.count() - 1)
        self._dirty = True
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _clear(self) -> None:
        self.promises = Promises()
        self.steps.clear()
        self._redraw()

    def _choose(self, step: int) -> None:
        self.steps.setCurrentIndex(self.steps.findData(step))
        self._redraw()

    def _redraw(self) -> None:
        self._dirty = True
        self.catch_up()

    def catch_up(self) -> None:
        """Show things as they are now."""
        shown = self.promises.of(self.steps.currentData() or 0)
        self._stack.set_empty(shown is None)
        if not self._dirty:
            return
        self._dirty = False
        kind = self.kinds.currentData()
        self.figure.draw(self.promises, kind, shown.step if shown else 0)
        words = ""
        if shown:
            words = f"{sentence(shown, kind)} {tried(self.promises, shown.step)}"
        self.text.setText(words.rstrip())
        self.model.set_layers(shown.layers if shown else ())
        self._layers.set_empty(not self.model.layers)
        self._select_layer(self._workspace.layer)

    def _choose_layer(self, current: QModelIndex) -> None:
        if current.isValid():
            name = current.siblingAtColumn(0).data(Qt.ItemDataRole.UserRole)
            self._workspace.select_layer(name)

    def _select_layer(self, name: str) -> None:
        for row in range(self.model.rowCount()):
            index = self.table.model().index(row, 0)
            if index.data(Qt.ItemDataRole.UserRole) == name:
                self.table.selectRow(row)
