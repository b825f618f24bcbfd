"""Commands: what happens when an action is triggered or the engine answers."""

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from app.banner import Banner
from app.dialogs.export import ExportDialog
from app.dialogs.plan import PlanDialog
from app.dialogs.preferences import PreferencesDialog
from app.dialogs.trust import TrustDialog
from app.errors import show_defect, show_error
from app.forms.draft import Draft
from app.history import can_resume
from app.inspector import Inspector
from app.naming import run_folder
from app.panels.recipe import RecipePanel
from app.preferences import Preferences
from app.runner import Runner
from app.tables.units import accuracy, percent
from app.workspace import Workspace
from engine import recipe_of
from engine.comparing.cells import ComparisonEnded
from engine.errors import EngineError, TrustNeeded
from engine.events import Event, RunFinished, RunStopped

COLLAPSE = 0.5  # share of the dense accuracy below which a run is no success


class Commands(QObject):
    """The verbs of the window, each a method; dialogs open over `window`."""

    resumable_changed = Signal(bool)  # the shown run was stopped and can go on
    preferences_wanted = Signal()

    def __init__(
        self,
        workspace: Workspace,
        draft: Draft,
        inspector: Inspector,
        runner: Runner,
        preferences: Preferences,
        recipe_panel: RecipePanel,
        notice: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._draft = draft
        self._inspector = inspector
        self._runner = runner
        self._preferences = preferences
        self._recipe_panel = recipe_panel
        self._notice = notice
        self._window = window
        self._trust: TrustDialog | None = None

    def plan(self) -> None:
        """Show what the recipe will take."""
        PlanDialog(self._workspace.recipe, self._runner, self._window).open()

    def start(self) -> None:
        """Prune with the recipe as it is."""
        runs = self._preferences.runs
        try:
            runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._notice.tell(
                f"Run folders cannot be made in {runs}: {error.strerror}. Choose "
                "another place for them.",
                "error", "Preferences...", self.preferences_wanted.emit,
            )  # fmt: skip
            return
        self._notice.hide()
        self.resumable_changed.emit(False)
        recipe = self._workspace.recipe
        self._runner.start(recipe, run_folder(runs, recipe, datetime.now()))

    def resume(self) -> None:
        """Go on with the shown run, as its own recipe says."""
        if self._workspace.folder:
            recipe = recipe_of(self._workspace.folder)
            self._inspector.take_as_seen(recipe)
            self._workspace.set_recipe(recipe)
            self._notice.hide()
            self.resumable_changed.emit(False)
            self._runner.resume(self._workspace.folder)

    def pause_or_continue(self) -> None:
        """Hold the run or let it go on."""
        if self._workspace.state == "paused":
            self._runner.go_on()
        else:
            self._runner.pause()

    def undo(self) -> None:
        """Take back what does not fit, else the last change."""
        if self._draft.problems:
            self._draft.discard()
        else:
            self._workspace.undo()

    def export(self) -> None:
        """Ask for format and file."""
        if self._workspace.folder:
            ExportDialog(self._workspace.folder, self._runner, self._window).open()

    def show_folder(self) -> None:
        """Open the run folder in the desktop's file browser."""
        if self._workspace.folder:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._workspace.folder)))

    def edit_preferences(self) -> bool:
        """Show the preferences; True when they were accepted."""
        dialog = PreferencesDialog(self._preferences, self._window)
        accepted = dialog.exec() == PreferencesDialog.DialogCode.Accepted
        dialog.deleteLater()
        if self._preferences.problem:
            self._notice.tell(self._preferences.problem, "warning")
        return accepted

    def about(self) -> None:
        """Say what this is."""
        QMessageBox.about(
            self._window,
            "About Secateur",
            "<h3>Secateur</h3><p>A workbench for pruning neural networks with "
            "second-order information.</p><p>MIT licence.</p>",
        )

    def on_inspected(self) -> None:
        """The network is on show."""
        self._recipe_panel.banner.hide()

    def on_inspect_failed(self, error: EngineError) -> None:
        """Say above the form why there is no network."""
        self._recipe_panel.tell(
            f"{error.message} {error.hint}",
            "error",
            "Check again",
            self._inspector.inspect,
        )

    def on_trust_needed(self, needed: TrustNeeded) -> None:
        """Ask once about a Python file; then look at the network again."""
        if self._trust is not None:
            return
        self._trust = dialog = TrustDialog(
            Path(needed.path), needed.digest, self._window
        )
        dialog.finished.connect(self._on_trust_answered)
        dialog.open()

    def on_run_failed(self, error: EngineError) -> None:
        """Say why the run could not begin or go on."""
        show_error(error, self._window)

    def on_defect(self, error: BaseException) -> None:
        """Show the full report of something nobody expected."""
        if isinstance(error, EngineError):
            show_error(error, self._window)
        else:
            show_defect(error, self._window)

    def on_run_ended(self, last: Event | None) -> None:
        """Offer the next step after a run on this machine."""
        if isinstance(last, RunFinished):
            lost = last.accuracy < COLLAPSE * last.accuracy_dense
            advice = " Lower the sparsity, prune gradually or fine-tune longer."
            self._notice.tell(
                f"Finished at {percent(last.sparsity)} sparsity: accuracy "
                f"{accuracy(last.accuracy_dense)} before, {accuracy(last.accuracy)} "
                f"now."
                f"{advice * lost}",
                "warning" if lost else "info", "Export...", self.export,
            )  # fmt: skip
        elif isinstance(last, ComparisonEnded):
            pass  # `Comparing` tells of those
        elif last is not None and self._workspace.folder:  # else it never began
            self._offer_resume(last)

    def on_run_opened(self, folder: Path, last: Event | None) -> None:
        """Offer to go on with a run that never reached its end."""
        if can_resume(last):
            self._offer_resume(last)

    def _offer_resume(self, last: Event | None) -> None:
        self.resumable_changed.emit(True)
        stopped = isinstance(last, RunStopped)
        self._notice.tell(
            "This run was stopped. It can go on from its newest saved state."
            if stopped
            else "This run did not reach its end. It can go on from its newest saved "
            "state.",
            "warning", "Resume run", self.resume,
        )  # fmt: skip

    def _on_trust_answered(self, answer: int) -> None:
        dialog, self._trust = self._trust, None
        if answer == TrustDialog.DialogCode.Accepted:
            self._preferences.trust(dialog.digest)
            self._inspector.inspect()
        else:
            self._recipe_panel.tell(
                "The Python file was not run, so there is no network to show.",
                "warning", "Look at it again", self._inspector.inspect,
            )  # fmt: skip
        dialog.deleteLater()
