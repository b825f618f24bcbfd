"""Layer table panel: every layer, its sparsity live, and what is asked of it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.bridge import Bridge
from app.plots.empty import EmptyState
from app.preferences import Preferences
from app.steering.layers.bounds import LayerBounds, bounds_of
from app.steering.layers.edits import LayerEdits
from app.steering.steering import Steering
from app.steering.vanishing import foretold, measured, sentence
from app.tables.filter_field import FilterField
from app.tables.layer_footer import LayerFooter
from app.tables.layer_rows import CEILING, FLOOR, STABILITY, TITLES, Foretold, Limits
from app.tables.layer_table import LayerTableModel
from app.tables.layer_view import LayerView
from app.workspace import Workspace
from engine.events import (
    CheckpointLoaded,
    LayerState,
    ModelLoaded,
    Pruned,
    Resampled,
    Restored,
)
from engine.recipe import Recipe

EMPTY = "Choose a model to see its layers here."


class LayerTablePanel(QWidget):
    """The layers; clicks and edits change the recipe, each time with one undo.

    Args:
        workspace: Has the recipe and the selected layer.
        bridge: Brings the layers and what prunes did to them.
        steering: Knows what the next prune would do.
        preferences: Remembers the columns.
        parent: Qt's.
    """

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        steering: Steering,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._steering = workspace, steering
        self._loaded: ModelLoaded | None = None
        self._states: tuple[LayerState, ...] = ()
        self.model = LayerTableModel(self)
        self.view = LayerView(self.model, preferences)
        self.filter = FilterField("Filter by name, type or status")
        self.footer = LayerFooter(self.model)
        self.bounds = LayerBounds(workspace, steering, self)
        self.edits = LayerEdits(workspace, self.bounds, self.model, self.view)
        self._lay_out()
        self._connect(bridge)
        self._show_recipe(workspace.recipe)
        self._lock(workspace.state)
        self._clear()

    def _connect(self, bridge: Bridge) -> None:
        workspace, view = self._workspace, self.view
        self.filter.changed.connect(self._filter)
        self.edits.told.connect(self.footer.tell)
        self.bounds.told.connect(self.footer.tell)
        view.layer_chosen.connect(workspace.select_layer)
        workspace.layer_selected.connect(view.show_layer)
        workspace.recipe_changed.connect(self._show_recipe)
        workspace.state_changed.connect(self._lock)
        self._steering.changed.connect(self._foretell)
        bridge.on(ModelLoaded, self._load)
        bridge.on(Pruned, self._prune)
        bridge.on(Restored, self._prune)
        bridge.on(Resampled, self._resample)
        bridge.on(CheckpointLoaded, lambda e: self.footer.show_checkpoint(e[-1]))
        bridge.cleared.connect(self._clear)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.filter.line.setFocus)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(6, 4, 6, 2)
        top.addWidget(self.filter, 1)
        for action in (self.edits.toggle, self.edits.lock):
            button = QToolButton()
            button.setDefaultAction(action)
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.footer)
        self._stack = EmptyState(content, EMPTY)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _load(self, events: list[ModelLoaded]) -> None:
        self._loaded, self._states = events[-1], ()
        self.model.set_layers(self._loaded.layers)
        self._show_recipe(self._workspace.recipe)
        self._foretell()
        self.view.fit()
        if not self.model.find(self._workspace.layer).isValid():
            self._workspace.select_layer("")  # it was another network's
        self.view.show_layer(self._workspace.layer)
        self._stack.set_empty(False)

    def _prune(self, events: list[Pruned | Restored]) -> None:
        self._states = events[-1].layers
        self.model.set_states(self._states)
        self._foretell()
        self.footer.show_totals(self._loaded)

    def _resample(self, events: list[Resampled]) -> None:
        self.model.set_stability({each.name: each for each in events[-1].layers})
        self.view.columns.show(TITLES[STABILITY], True)

    def _clear(self) -> None:
        self._loaded, self._states = None, ()
        self.model.set_layers(())
        self.model.set_stability({})
        self.view.columns.show(TITLES[STABILITY], False)
        self.footer.show_checkpoint(None)
        self._show_recipe(self._workspace.recipe)
        self._foretell()
        self._stack.set_empty(True)

    def _show_recipe(self, recipe: Recipe) -> None:
        allocation = recipe.allocation
        names = [info.name for info in self.model.layers]
        limits = {name: Limits(*bounds_of(allocation, name)) for name in names}
        self.model.set_recipe(allocation.exclude, limits)
        given = any(
            each.target is None and (each.least > 0 or each.most < 1)
            for each in limits.values()
        )
        for column in (FLOOR, CEILING):
            self.view.columns.show(TITLES[column], given)
        self.footer.tell("")
        self.footer.show_totals(self._loaded)
        self.edits.offer()

    def _foretell(self) -> None:
        """What the next prune would leave, and what would disappear."""
        steering, known = self._steering, self._steering.names()
        if known and steering.measurable:
            shares = {
                name: Foretold(steering.sparsity(name), steering.empty(name)[1])
                for name in known
            }
            warnings = foretold(steering, self.model.layers)
        else:
            infos = {info.name: info for info in self.model.layers}
            shares, warnings = {}, measured(self._states, infos)
        self.model.set_foretold(shares)
        self.model.set_warnings(warnings)
        self.footer.warn(sentence(warnings))

    def _lock(self, state: str) -> None:
        self.model.set_locked(state != "idle")
        self._foretell()
        self.edits.offer()

    def _filter(self) -> None:
        field = self.filter
        field.complain(self.view.set_filter(field.text, field.is_expression))
