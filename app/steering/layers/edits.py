"""Layer edits: the verbs of the layer table, for the whole selection at once."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from app.steering.layers.bounds import LayerBounds
from app.tables.exclusion import excluding, including
from app.tables.layer_rows import CEILING, FLOOR, TARGET
from app.tables.layer_table import LayerTableModel
from app.tables.layer_view import LayerView
from app.workspace import Workspace
from engine.recipe import with_changes

NUMBER = "Type a sparsity between 0 and 100 %, or nothing to take it away."
BUSY = "Layers can be excluded while no run is going on"
SETS = (
    ("Set target…", TARGET),
    ("Set floor…", FLOOR),
    ("Set ceiling…", CEILING),
)


class LayerEdits(QObject):
    """Every edit is one change of the recipe, so one undo takes it back.

    Args:
        workspace: Has the recipe.
        bounds: Sets floors, ceilings and locks.
        model: Of the layers.
        view: Has the selection, and these actions in its menu.
    """

    told = Signal(str)  # why an edit did nothing

    def __init__(
        self,
        workspace: Workspace,
        bounds: LayerBounds,
        model: LayerTableModel,
        view: LayerView,
    ) -> None:
        super().__init__(view)
        self._workspace, self._bounds = workspace, bounds
        self._model, self._view = model, view
        self.toggle = self._action("Exclude", self._toggle, Qt.Key.Key_Space)
        self.lock = self._action("Lock", self._lock, Qt.Key.Key_L)
        self.lock.setToolTip(
            "Keep the selected layers at the sparsity that is foretold, or without "
            "that at the zeros they have (L)"
        )
        self.sets = [
            self._action(text, lambda column=column: view.edit_bound(column))
            for text, column in SETS
        ]
        self.clear = self._action("Clear target, floor and ceiling", self._clear)
        self.clear.setToolTip("Let the selected layers follow the target again")
        model.toggled.connect(lambda name, prune: self._exclude([name], prune))
        model.typed.connect(self._type)
        view.cleared.connect(self._take_away)
        view.selectionModel().selectionChanged.connect(self.offer)

    def offer(self) -> None:
        """Name the actions by what they would do to the selection."""
        states, idle = self._selected(), self._workspace.state == "idle"
        include = bool(states) and "prunable" not in states.values()
        self.toggle.setText("Include" if include else "Exclude")
        what = f"{self.toggle.text()} the selected layers (Space)"
        self.toggle.setToolTip(what if idle else BUSY)
        rows = (self._model.row(row) for row in range(len(self._model.layers)))
        limits = [row.limits for row in rows if row.info.name in states]
        locked = bool(limits) and all(each.target is not None for each in limits)
        self.lock.setText("Unlock" if locked else "Lock")
        for action in (self.toggle, self.lock, *self.sets):
            action.setEnabled(bool(states) and idle)
        given = any((each.floor, each.ceiling) != (None, None) for each in limits)
        self.clear.setEnabled(given and idle)

    def _action(
        self, text: str, slot: Callable[[], None], key: Qt.Key | None = None
    ) -> QAction:
        action = QAction(text, self)
        if key is not None:
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda: slot())
        self._view.addAction(action)
        return action

    def _type(self, name: str, bound: str, text: str) -> None:
        """What was typed is for all selected layers, if this is one of them."""
        try:
            share = share_of(text)
        except ValueError:
            self.told.emit(NUMBER)
            return
        chosen = list(self._selected())
        self._bounds.set(chosen if name in chosen else [name], bound, share)

    def _take_away(self, names: list[str], bound: str) -> None:
        if bound:
            self._bounds.set(names, bound, None)
        else:
            self._bounds.clear(names)

    def _clear(self) -> None:
        self._bounds.clear(list(self._selected()))

    def _lock(self) -> None:
        self._bounds.lock(list(self._selected()))

    def _toggle(self) -> None:
        states = self._selected()
        self._exclude(list(states), "prunable" not in states.values())

    def _selected(self) -> dict[str, str]:
        """Status of each selected layer that can be changed."""
        model = self._model
        statuses = {
            info.name: model.status(row)
            for row, info in enumerate(model.layers)
            if not model.is_fixed(row)
        }
        chosen = (name for name in self._view.selected() if name in statuses)
        return {name: statuses[name] for name in chosen}

    def _exclude(self, names: list[str], prune: bool) -> None:
        if self._workspace.state != "idle":
            return
        recipe = self._workspace.recipe
        patterns = recipe.allocation.exclude
        if prune:
            layers = (info.name for info in self._model.layers)
            patterns = including(patterns, names, layers)
        else:
            patterns = excluding(patterns, names)
        changed = with_changes(recipe, {"allocation.exclude": list(patterns)})
        self._workspace.set_recipe(changed)


def share_of(text: str) -> float | None:
    """A typed percentage as a fraction; None of nothing.

    Raises:
        ValueError: It is no number between 0 and 100.
    """
    plain = text.replace("%", "").replace(",", ".").strip()
    if not plain:
        return None
    share = float(plain) / 100
    if not 0 <= share <= 1:
        raise ValueError
    return share
