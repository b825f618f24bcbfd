"""Layer table panel: every layer, its sparsity live, and which ones stay dense."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.empty import EmptyState
from app.steering.steering import Steering
from app.tables.checkpoint import CheckpointReport, headline
from app.tables.exclusion import excluding, including
from app.tables.layer_table import LayerTableModel
from app.tables.layer_view import LayerView
from app.tables.units import count, many, percent
from app.workspace import Workspace
from engine.events import CheckpointLoaded, ModelLoaded, Pruned, Restored
from engine.recipe import Recipe, with_changes
from engine.steering.overrides import overridden

EMPTY = "Choose a model to see its layers here."
SEPARATOR = "  \N{MIDDLE DOT}  "


class LayerTablePanel(QWidget):
    """The layers; clicks on check boxes change the recipe's excluded layers."""

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        steering: Steering,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._loaded: ModelLoaded | None = None
        self._overrides: dict[str, float] = {}
        self._checkpoint: CheckpointLoaded | None = None
        self.model = LayerTableModel(self)
        self.view = LayerView(self.model)
        self.filter = QLineEdit(
            placeholderText="Filter by name, type or status", clearButtonEnabled=True
        )
        self.filter.textChanged.connect(self.view.proxy.setFilterFixedString)
        self.toggle = QAction("Exclude", self)
        self.toggle.setShortcut(QKeySequence(Qt.Key.Key_Space))
        self.toggle.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.toggle.triggered.connect(self._toggle_selected)
        self.view.addAction(self.toggle)
        self.clear = QAction("Clear override", self)
        self.clear.setToolTip("Let the selected layers follow the target again")
        self.clear.triggered.connect(lambda: steering.clear(self.view.selected()))
        self.view.addAction(self.clear)
        self.totals = QLabel(wordWrap=True)
        self.totals.setTextFormat(Qt.TextFormat.PlainText)
        self.checkpoint = QLabel()
        self.checkpoint.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.checkpoint.linkActivated.connect(self._open_report)
        self._lay_out()
        self.model.toggled.connect(lambda name, prune: self._set([name], prune))
        self.view.layer_chosen.connect(workspace.select_layer)
        self.view.selectionModel().selectionChanged.connect(self._offer)
        workspace.layer_selected.connect(self.view.show_layer)
        workspace.recipe_changed.connect(self._show_recipe)
        workspace.state_changed.connect(self._lock)
        bridge.on(ModelLoaded, self._load)
        bridge.on(Pruned, self._prune)
        bridge.on(Restored, self._prune)
        bridge.on(CheckpointLoaded, self._show_checkpoint)
        bridge.cleared.connect(self._clear)
        self._show_recipe(workspace.recipe)
        self._lock(workspace.state)
        self._clear()

    def _lay_out(self) -> None:
        button = QToolButton()
        button.setDefaultAction(self.toggle)
        top = QHBoxLayout()
        top.setContentsMargins(6, 4, 6, 2)
        top.addWidget(self.filter, 1)
        top.addWidget(button)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(6, 2, 6, 4)
        bottom.setSpacing(2)
        bottom.addWidget(self.totals)
        bottom.addWidget(self.checkpoint)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addLayout(bottom)
        self._stack = EmptyState(content, EMPTY)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _load(self, events: list[ModelLoaded]) -> None:
        self._loaded = events[-1]
        self.model.set_layers(self._loaded.layers)
        self._find_overrides()
        self.view.fit()
        if not self.model.find(self._workspace.layer).isValid():
            self._workspace.select_layer("")  # it was another network's
        self.view.show_layer(self._workspace.layer)
        self._count()
        self._stack.set_empty(False)

    def _prune(self, events: list[Pruned | Restored]) -> None:
        self.model.set_states(events[-1].layers)
        self._count()

    def _clear(self) -> None:
        self._loaded = self._checkpoint = None
        self.model.set_layers(())
        self.checkpoint.hide()
        self._count()
        self._offer()
        self._stack.set_empty(True)

    def _count(self) -> None:
        layers = self.model.layers
        rows = [i for i in range(len(layers)) if self.model.status(i) == "prunable"]
        weights = sum(layers[i].weights for i in rows)
        zeros = sum(layers[i].zeros for i in rows)
        parts = [
            many(len(layers), "layer"),
            f"{count(self._loaded.parameters if self._loaded else 0)} parameters",
            f"{count(weights)} prunable in {len(rows)}",
            f"{count(zeros)} zero ({percent(zeros / weights if weights else 0.0)})",
            f"{count(self._loaded.macs if self._loaded else 0)} MACs",
        ]
        if self._overrides:
            parts.append(f"{len(self._overrides)} overridden")
        self.totals.setText(SEPARATOR.join(parts))

    def _show_checkpoint(self, events: list[CheckpointLoaded]) -> None:
        self._checkpoint = events[-1]
        self._link()
        self.checkpoint.show()

    def changeEvent(self, event: QEvent) -> None:
        """A link keeps the colour of the theme that it was written in."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._checkpoint:
            self._link()

    def _link(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.Link).name()
        words = headline(self._checkpoint)
        self.checkpoint.setText(
            f'<a href="#report" style="color: {colour}">{words}</a>'
        )

    def _open_report(self) -> None:
        if self._checkpoint:
            dialog = CheckpointReport(self._checkpoint, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def _show_recipe(self, recipe: Recipe) -> None:
        self.model.set_patterns(recipe.allocation.exclude)
        self._find_overrides()
        self._count()
        self._offer()

    def _lock(self, state: str) -> None:
        self.model.set_locked(state != "idle")
        self._offer()

    def _offer(self) -> None:
        """Name the toggle by what it would do to the selection."""
        states = self._selected_states()
        include = bool(states) and "prunable" not in states.values()
        self.toggle.setText("Include" if include else "Exclude")
        self.toggle.setToolTip(
            f"{self.toggle.text()} the selected layers (Space)"
            if self._workspace.state == "idle"
            else "Layers can be excluded while no run is going on"
        )
        idle = self._workspace.state == "idle"
        self.toggle.setEnabled(bool(states) and idle)
        given = any(name in self._overrides for name in self.view.selected())
        self.clear.setEnabled(given and idle)

    def _find_overrides(self) -> None:
        """Which layers have a sparsity of their own."""
        allocation = self._workspace.recipe.allocation
        found = {i.name: overridden(allocation, i.name) for i in self.model.layers}
        self._overrides = {n: share for n, share in found.items() if share is not None}
        self.model.set_overrides(self._overrides)
        self.view.show_overrides(bool(self._overrides))

    def _toggle_selected(self) -> None:
        states = self._selected_states()
        self._set(list(states), "prunable" not in states.values())

    def _selected_states(self) -> dict[str, str]:
        """Status of each selected layer that can be toggled."""
        statuses = {
            info.name: self.model.status(row)
            for row, info in enumerate(self.model.layers)
            if not self.model.is_fixed(row)
        }
        chosen = (name for name in self.view.selected() if name in statuses)
        return {name: statuses[name] for name in chosen}

    def _set(self, names: list[str], prune: bool) -> None:
        if self._workspace.state != "idle":
            return
        recipe = self._workspace.recipe
        patterns = recipe.allocation.exclude
        if prune:
            layers = (info.name for info in self.model.layers)
            patterns = including(patterns, names, layers)
        else:
            patterns = excluding(patterns, names)
        changed = with_changes(recipe, {"allocation.exclude": list(patterns)})
        self._workspace.set_recipe(changed)
