"""Branching: asks what a branch is to be, and starts it."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.banner import Banner
from app.dialogs.branch import BranchDialog
from app.forms.draft import Draft
from app.naming import branch_folder
from app.panels.timeline import TimelinePanel
from app.preferences import Preferences
from app.runner import Runner
from app.workspace import Workspace
from engine import recipe_of
from engine.errors import EngineError
from engine.events import NodeKept


class Branching(QObject):
    """Takes the recipe of the form to a node of the run on show.

    Args:
        workspace: Has both.
        draft: Knows what of the form cannot be used.
        runner: Runs the branch.
        preferences: Remember it among what was opened.
        panel: Where the node was chosen; it says what the node is.
        notice: Says why there is no branch.
        window: The dialog opens over it.
    """

    def __init__(
        self,
        workspace: Workspace,
        draft: Draft,
        runner: Runner,
        preferences: Preferences,
        panel: TimelinePanel,
        notice: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._draft = draft
        self._runner = runner
        self._preferences = preferences
        self._panel = panel
        self._notice = notice
        self._window = window
        panel.branch_wanted.connect(self.ask)

    def ask(self, node: NodeKept) -> None:
        """Show what the branch would do otherwise, and ask for its folder."""
        folder, recipe = self._workspace.folder, self._workspace.recipe
        if self._draft.problems:
            key, reason = next(iter(self._draft.problems.items()))
            self._notice.tell(f"Correct {key} first: {reason}", "warning")
            return
        try:
            own = recipe_of(folder)
        except EngineError as error:
            self._notice.tell(f"{error.message} {error.hint}", "error")
            return
        name = branch_folder(folder).name
        moment = self._panel.nodes.words(node)
        dialog = BranchDialog(moment, folder, own, recipe, name, self._window)
        dialog.chosen.connect(lambda out: self._start(folder, node, out))
        dialog.open()

    def _start(self, folder: Path, node: NodeKept, out: Path) -> None:
        self._notice.hide()
        self._preferences.remember(out)
        self._runner.branch(folder, node.node, self._workspace.recipe, out)
