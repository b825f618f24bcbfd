"""Workspace: what the window is about - the recipe, the run, the selected layer."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine import Study
from engine.recipe import Recipe

UNDO_DEPTH = 200


@dataclass(frozen=True, eq=False)
class Scored:
    """A scored network, and the recipe it was scored with."""

    recipe: Recipe
    study: Study


class Workspace(QObject):
    """The one model all panels mirror; they meet here and never import each other."""

    recipe_changed = Signal(object)  # Recipe
    layer_selected = Signal(str)  # full parameter name
    folder_changed = Signal(object)  # Path of the shown run folder, or None
    state_changed = Signal(str)  # see `state`
    scored_changed = Signal()  # see `scored`

    def __init__(self, recipe: Recipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._past: list[Recipe] = []
        self._recipe = recipe
        self._future: list[Recipe] = []
        self._merge = ""
        self._layer = ""
        self._folder: Path | None = None
        self._state = "idle"
        self._scored: Scored | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe as the forms show it; always valid."""
        return self._recipe

    @property
    def layer(self) -> str:
        """The selected layer; empty when there is none."""
        return self._layer

    @property
    def folder(self) -> Path | None:
        """The run folder that is shown."""
        return self._folder

    @property
    def state(self) -> str:
        """idle, running, paused or stopping; following is a run of somebody else."""
        return self._state

    @property
    def scored(self) -> Scored | None:
        """The newest saliencies, from Score or from the first prune of a run."""
        return self._scored

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to make again."""
        return bool(self._future)

    def set_recipe(self, recipe: Recipe, merge: str = "") -> None:
        """Make a valid change; it can be undone.

        Args:
            recipe: The new one.
            merge: Changes in a row with the same word here (the keystrokes of one
                number, say) are taken back together.
        """
        if recipe == self._recipe:
            return
        if not (merge and merge == self._merge and self._past):
            self._past = [*self._past[-UNDO_DEPTH:], self._recipe]
        self._merge = merge
        self._future.clear()
        self._show(recipe)

    def undo(self) -> None:
        """Take the last change back."""
        self._merge = ""
        if self._past:
            self._future.append(self._recipe)
            self._show(self._past.pop())

    def redo(self) -> None:
        """Make an undone change again."""
        self._merge = ""
        if self._future:
            self._past.append(self._recipe)
            self._show(self._future.pop())

    def select_layer(self, name: str) -> None:
        """Make every view show this layer."""
        if name != self._layer:
            self._layer = name
            self.layer_selected.emit(name)

    def set_folder(self, folder: Path | None) -> None:
        """Show this run folder."""
        self._folder = folder
        self.folder_changed.emit(folder)

    def set_state(self, state: str) -> None:
        """Say whether a run is going on."""
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def set_scored(self, recipe: Recipe, study: Study) -> None:
        """Keep what a scoring left."""
        self._scored = Scored(recipe, study)
        self.scored_changed.emit()

    def _show(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.recipe_changed.emit(recipe)
