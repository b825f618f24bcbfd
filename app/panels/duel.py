"""Duel panel: the recipe's method against a rival, layer by layer and measured."""

from functools import partial

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

import engine
from app.forms.draft import Draft
from app.forms.editors import ChoiceEditor
from app.forms.group import GroupForm
from app.plots.duel import DuelFigure
from app.plots.empty import EmptyState
from app.runner import Runner
from app.tables.dressing import dress, sort_by_header
from app.tables.duel import DuelModel
from app.tables.duel_words import agreement, verdict
from app.view import Table, View
from app.workspace import Workspace
from engine import Duel
from engine.part import settings, title_of
from engine.recipe import Recipe, with_changes

EMPTY = (
    "Choose a rival above and press Duel: both methods score the same weights, and the "
    "ones they dispute are mapped and measured. Nothing is pruned."
)
FIGHTING = "Both methods score the weights; the line below tells how far they are."
RIVAL = "magnitude"  # at first
COLUMNS = (
    "layer", "disputed", "overlap", "rank_agreement", "only_first", "only_rival",
)  # fmt: skip


class DuelPanel(View):
    """A table of layers, and a map of the selected one; the rival has its own form."""

    FILE = "duel.png"

    def __init__(
        self, workspace: Workspace, runner: Runner, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._runner = workspace, runner
        self.duel: Duel | None = None
        self._of: tuple[Recipe, object] | None = None
        self._running = False
        self.rival = Workspace(
            with_changes(workspace.recipe, {"estimator.kind": RIVAL}), self
        )
        self.draft = Draft(self.rival, self)
        setting = next(s for s in settings(Recipe) if s.name == "estimator")
        self.kinds = ChoiceEditor(
            tuple(
                (title_of(k), k.model_fields["kind"].default) for k in setting.choices
            )
        )
        self.kinds.setAccessibleName("Rival")
        self.kinds.setMinimumContentsLength(14)
        self.kinds.setToolTip("The method to compare the recipe's with")
        self.form = GroupForm(setting, self.draft)
        self.start = QPushButton("Duel")
        self.start.setToolTip("Score the same weights by both methods")
        self.words, self.pointed = QLabel(wordWrap=True), QLabel()
        self.figure = DuelFigure()
        self.model = DuelModel()
        self.table = self._table()
        self._lay_out()
        self.start.clicked.connect(self._start)
        self.kinds.edited.connect(lambda kind: self.draft.edit("estimator.kind", kind))
        self.draft.changed.connect(self.catch_up)
        self.figure.pointed.connect(self.pointed.setText)
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        workspace.layer_selected.connect(self.catch_up)
        workspace.recipe_changed.connect(self.catch_up)
        workspace.state_changed.connect(self._on_state)
        self.catch_up()

    def numbers(self) -> Table:
        """A row per layer."""
        return COLUMNS, self.model.rows()

    def _table(self) -> QTableView:
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        table = QTableView()
        table.setModel(self.proxy)
        dress(table, "Agreement of the two methods by layer")
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(56)
        sort_by_header(table)
        return table

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        name = QLabel("against")
        name.setBuddy(self.kinds)
        self.more = QPushButton("Settings")
        self.more.setCheckable(True)
        self.more.setToolTip("The rival's settings")
        for widget in (self.start, name, self.kinds, self.more):
            bar.addWidget(widget)
        bar.addStretch(1)
        self._reset, self._save = QPushButton("Reset view"), QPushButton("Save…")
        self._reset.setToolTip("Show the whole layer (double click)")
        self._save.setToolTip("Map and probe (PNG, SVG) or the layers (CSV)")
        self._reset.clicked.connect(self.figure.reset_view)
        self._save.clicked.connect(self.ask)
        bar.addWidget(self._reset)
        bar.addWidget(self._save)
        drawer = self.drawer = QScrollArea()
        drawer.setWidgetResizable(True)
        drawer.setFrameShape(QFrame.Shape.NoFrame)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addWidget(self.form)
        column.addStretch(1)
        drawer.setWidget(inside)
        drawer.hide()

        self.more.toggled.connect(self._unfold)
        self.pointed.setContentsMargins(8, 0, 8, 2)
        self.words.setContentsMargins(8, 2, 8, 0)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.figure, 1)
        below.addWidget(self.pointed)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(self.table)
        parts.addWidget(lower)
        parts.setSizes([140, 340])
        parts.setStretchFactor(1, 1)
        parts.setChildrenCollapsible(False)
        content = QWidget()
        upper = QVBoxLayout(content)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(2)
        upper.addWidget(self.words)
        upper.addWidget(parts, 1)
        self._stack = EmptyState(content, EMPTY)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(bar)
        outer.addWidget(drawer, 1)
        outer.addWidget(self._stack, 1)

    def _unfold(self, on: bool) -> None:
        self.drawer.setVisible(on)
        self._stack.setVisible(not on)

    def _start(self) -> None:
        self.more.setChecked(False)
        if self._running:
            self._runner.stop()
            return
        recipe, rival = self._workspace.recipe, self.rival.recipe.estimator
        self._running = True
        self._runner.look(
            partial(engine.duel, recipe, rival),
            lambda found: self._take(recipe, rival, found),
        )

    def _take(self, recipe: Recipe, rival: object, found: Duel) -> None:
        self.duel, self._of = found, (recipe, rival)
        self.model.show(found)
        if self._workspace.layer not in self.model.names:
            self._workspace.select_layer(self._most())
        self.catch_up()

    def _most(self) -> str:
        """The layer with the most disputed weights."""
        return max(self.duel.layers, key=lambda each: each.disputed).name

    def _on_state(self, state: str) -> None:
        self._running = self._running and state != "idle"
        self.catch_up()

    def catch_up(self) -> None:
        """Show things as they are now."""
        if not self.isVisible():
            return
        state = self._workspace.state
        self.start.setText("Stop" if self._running else "Duel")
        fits = not self.draft.problems
        self.start.setEnabled(self._running or (state == "idle" and fits))
        self.kinds.setEnabled(state == "idle")
        self.form.setEnabled(state == "idle")
        self.kinds.show_value(self.draft.part("estimator").model_fields["kind"].default)
        self._stack.set_empty(self.duel is None, FIGHTING if self._running else EMPTY)
        for button in (self._reset, self._save):
            button.setEnabled(self.duel is not None)
        if self.duel is None:
            return
        told = (self._stale(), agreement(self.duel), verdict(self.duel))
        self.words.setText(" ".join(words for words in told if words))
        names = self.model.names
        if self._workspace.layer not in names:
            self.figure.draw(self.duel, self._most())
            return
        self.figure.draw(self.duel, self._workspace.layer)
        row = self.model.index(names.index(self._workspace.layer), 0)
        self.table.setCurrentIndex(self.proxy.mapFromSource(row))

    def _stale(self) -> str:
        """Whether the duel is another one than would be fought now."""
        recipe, rival = self._of
        now = self._workspace.recipe
        groups = ("model", "data", "estimator", "pattern", "allocation")
        same = all(getattr(recipe, group) == getattr(now, group) for group in groups)
        same = same and recipe.machine.seed == now.machine.seed
        if same and rival == self.rival.recipe.estimator:
            return ""
        return "Press Duel again: recipe or rival have changed since."

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            row = self.proxy.mapToSource(current).row()
            self._workspace.select_layer(self.model.names[row])
