"""Comparing: the verbs of a comparison - choose, start, go on, open."""

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.banner import Banner
from app.dialogs.compare import CompareDialog
from app.naming import comparison_folder
from app.preferences import Preferences
from app.runner import Runner
from app.workspace import Workspace
from engine import comparison_of
from engine.comparing.cells import ComparisonEnded, ComparisonStarted
from engine.comparing.comparison import Comparison
from engine.errors import EngineError
from engine.events import Event
from engine.words.units import many


class Comparing(QObject):
    """Starts comparisons and offers to go on with those that are not complete.

    Args:
        workspace: Its recipe is what the methods share.
        runner: Fills the cells.
        preferences: Where folders are made.
        notice: Says how it went.
        window: Dialogs open over it.
    """

    begun = Signal()  # its cells are about to be filled
    opened = Signal(object)  # ComparisonStarted: what is known of an earlier one

    def __init__(
        self,
        workspace: Workspace,
        runner: Runner,
        preferences: Preferences,
        notice: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._runner = runner
        self._preferences = preferences
        self._notice = notice
        self._window = window
        self._spec: Comparison | None = None
        self._folder = Path()

    def ask(self) -> None:
        """Let the person choose what to compare, then start."""
        dialog = CompareDialog(self._workspace.recipe, self._window)
        dialog.chosen.connect(self.start)
        dialog.open()

    def start(self, spec: Comparison) -> None:
        """Fill a new folder."""
        folder = comparison_folder(self._preferences.runs, spec, datetime.now())
        self._spec, self._folder = spec, folder
        self.go_on()

    def go_on(self) -> None:
        """Fill the cells that are not done."""
        self._notice.hide()
        self._preferences.remember(self._folder)
        self.begun.emit()
        self._runner.compare(self._spec, self._folder)

    def open(self, folder: Path) -> None:
        """Show what is known of a comparison's cells."""
        try:
            spec, cells = comparison_of(folder)
        except EngineError as error:
            self._notice.tell(f"{error.message} {error.hint}", "error")
            return
        self._spec, self._folder = spec, folder
        methods = tuple(spec.methods)
        self.opened.emit(
            ComparisonStarted(str(folder), methods, spec.sparsities, spec.seeds, cells)
        )
        done = sum(cell.done for cell in cells)
        failed = sum(bool(cell.error) for cell in cells)
        self._tell(ComparisonEnded(done, failed, len(cells), stopped=False))

    def on_run_ended(self, last: Event | None) -> None:
        """Say how far the comparison came."""
        if isinstance(last, ComparisonEnded):
            self._tell(last)

    def _tell(self, ended: ComparisonEnded) -> None:
        if ended.done == ended.total:
            self._notice.tell(f"Done: all of {many(ended.total, 'cell')}.")
            return
        failed = f", {ended.failed} failed" if ended.failed else ""
        self._notice.tell(
            f"{ended.done} of {ended.total} cells are done{failed}. Point at a cell to "
            "see how it ended.",
            "warning", "Fill the others", self.go_on,
        )  # fmt: skip
