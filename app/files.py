"""Files: opens and saves, whether by a dialog, by a drop or from a menu."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.banner import Banner
from app.errors import show_error
from app.history import History
from app.inspector import Inspector
from app.opening import FILTERS, open_path
from app.preferences import Preferences
from app.workspace import Workspace
from engine.errors import EngineError, InputError
from engine.recipe import dump
from engine.records.whole import write


class Files(QObject):
    """Takes a path to what shows it, and the recipe to a file.

    Args:
        workspace: Has the recipe.
        inspector: Need not look at a run's recipe.
        history: Tells a run.
        preferences: Remember what was opened.
        notice: Says why something cannot be opened.
        window: Dialogs open over it.
    """

    left = Signal()  # what was on show gives way to something else
    named = Signal(str)  # file name of the recipe that was opened or saved
    comparison_opened = Signal(object)  # Path of its folder

    def __init__(
        self,
        workspace: Workspace,
        inspector: Inspector,
        history: History,
        preferences: Preferences,
        notice: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._inspector = inspector
        self._history = history
        self._preferences = preferences
        self._notice = notice
        self._window = window

    def open_model(self) -> None:
        """Choose a Python file or a checkpoint."""
        self._choose(FILTERS["model"])

    def open_recipe(self) -> None:
        """Choose a recipe file."""
        self._choose(FILTERS["recipe"])

    def open_run(self) -> None:
        """Choose a run folder."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, "Open a run folder", str(self._preferences.runs)
        )
        if chosen:
            self.open(Path(chosen))

    def open(self, path: Path) -> None:
        """Show whatever this is; a sentence in the window when it cannot be."""
        self._history.leave()
        if self._workspace.state != "idle":
            self._notice.tell("Stop the run before you open something else.", "warning")
            return
        try:
            opened = open_path(path, self._workspace.recipe)
        except EngineError as error:
            self._notice.tell(f"{error.message} {error.hint}", "error")
            return
        self._notice.hide()
        self.left.emit()
        self._preferences.remember(path.expanduser().absolute())
        if opened.run:
            self._history.open(opened.run, opened.recipe, self._inspector.take_as_seen)
        else:
            self._workspace.set_recipe(opened.recipe)
            if path.suffix.lower() == ".json":
                self._workspace.set_folder(None)
                self.named.emit(path.name)
            elif opened.comparison:
                self.comparison_opened.emit(opened.comparison)

    def save(self) -> None:
        """Save the recipe where the person says."""
        chosen, _ = QFileDialog.getSaveFileName(
            self._window,
            "Save the recipe",
            str((self._workspace.folder or Path.home()) / "recipe.json"),
            FILTERS["recipe"],
        )
        if chosen:
            self.save_as(Path(chosen).with_suffix(".json"))

    def save_as(self, path: Path) -> None:
        """Write the recipe file, whole or not at all."""
        try:
            write(path, dump(self._workspace.recipe).encode())
        except OSError as error:
            show_error(
                InputError(
                    f"Cannot write {path}: {error.strerror}.",
                    "Choose a folder you may write to.",
                ),
                self._window,
            )
            return
        self.named.emit(path.name)

    def _choose(self, filter: str) -> None:
        recent = self._preferences.values.recent
        start = str(Path(recent[0]).parent) if recent else ""
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Open", start, filter)
        if chosen:
            self.open(Path(chosen))
