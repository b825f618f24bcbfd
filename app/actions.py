"""Actions: everything the person can do by menu, toolbar or shortcut."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QMainWindow,
    QMenu,
    QToolBar,
    QToolButton,
)

from app import assets
from app.forms.draft import Draft
from app.workspace import Workspace

Standard = QKeySequence.StandardKey


class Actions(QObject):
    """Makes the actions and enables those that can be done now.

    Args:
        workspace: Its state decides.
        draft: So do its problems.
        window: Owns menus and toolbar.
    """

    def __init__(self, workspace: Workspace, draft: Draft, window: QMainWindow) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._draft = draft
        self._icons: dict[QAction, tuple[str, str]] = {}
        make = self._make
        self.open_model = make(
            "Open &network...", "brain", "A Python file or a checkpoint", "Ctrl+O"
        )
        self.open_recipe = make(
            "Open &recipe...", "file-document-outline", "A recipe .json file",
            "Ctrl+Shift+O",
        )  # fmt: skip
        self.open_run = make(
            "Open run &folder...", "folder-open-outline", "Show an earlier run",
            "Ctrl+R",
        )  # fmt: skip
        self.save = make(
            "&Save", "content-save-outline", "Save the recipe as a .json file", "Ctrl+S"
        )
        self.plan = make(
            "P&lan...", "clipboard-text-clock-outline",
            "What this recipe will take: memory, disk and time", "F4",
        )  # fmt: skip
        self.compare = make(
            "&Compare methods...", "chart-line",
            "Several methods at several sparsities, side by side", "Ctrl+M",
        )  # fmt: skip
        self.score = make(
            "S&core", "chart-histogram",
            "Rank the weights without pruning, to move thresholds", "F9",
        )  # fmt: skip
        self.start = make(
            "St&art", "content-cut", "Prune with this recipe", "F5", "accent_text"
        )
        self.pause = make("&Pause", "pause", "Hold the run at its next step", "F6")
        self.stop = make("S&top", "stop", "Save what is there and end the run", "F7")
        self.resume = make(
            "&Resume run", "play-outline", "Go on with the stopped run", "F8"
        )
        self.export = make(
            "&Export", "export-variant", "Take the pruned network home", "Ctrl+E"
        )
        self.undo = make("&Undo", "undo", "Take the last change back", Standard.Undo)
        self.redo = make("&Redo", "redo", "Make it again", Standard.Redo)
        both = [*QKeySequence.keyBindings(Standard.Redo), QKeySequence("Ctrl+Y")]
        once = {keys.toString(): keys for keys in both}  # twice would be ambiguous
        self.redo.setShortcuts(list(once.values()))
        self.preferences = make(
            "&Preferences...", "cog-outline", "Theme and run folders",
            Standard.Preferences,
        )  # fmt: skip
        self.show_folder = make(
            "Show run folder", "folder-outline", "Open it in the file browser", ""
        )
        self.about = make("&About Secateur", "information-outline", "", "")
        self.quit = make("&Quit", "exit-to-app", "Close the window", Standard.Quit)
        self.themes = QActionGroup(self)
        for theme in assets.THEMES:
            action = QAction(theme.capitalize(), self, checkable=True)
            action.setData(theme)
            self.themes.addAction(action)
        self.resumable = False
        workspace.state_changed.connect(self.refresh)
        workspace.recipe_changed.connect(self.refresh)
        workspace.folder_changed.connect(self.refresh)
        draft.changed.connect(self.refresh)
        self.refresh()

    def set_resumable(self, on: bool) -> None:
        """Whether the shown run was stopped and can go on."""
        self.resumable = on
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done now; say why Start cannot."""
        state, problems = self._workspace.state, self._draft.problems
        idle, shown = state == "idle", self._workspace.folder is not None
        for action in (self.open_model, self.open_recipe, self.open_run):
            action.setEnabled(idle or state == "following")
        self.start.setEnabled(idle and not problems)
        self.plan.setEnabled(idle and not problems)
        self.compare.setEnabled(idle and not problems)
        self.score.setEnabled(idle and not problems)
        self._say_why(problems)
        alone = self._workspace.recipe.machine.processes == 1
        self.pause.setEnabled(state in ("running", "paused") and alone)
        self.stop.setEnabled(state in ("running", "paused"))
        self.resume.setEnabled(idle and shown and self.resumable)
        self.export.setEnabled(idle and shown)
        self.show_folder.setEnabled(shown)
        self.undo.setEnabled(idle and (self._workspace.can_undo or bool(problems)))
        self.redo.setEnabled(idle and self._workspace.can_redo)
        self._name_pause(state == "paused")
        if not alone:
            self.pause.setToolTip("Several processes cannot pause; stop and resume")

    def recolour(self) -> None:
        """Draw the icons in the colours of the theme."""
        for action, (name, role) in self._icons.items():
            action.setIcon(assets.icon(name, role))

    def open_menu(self, parent: QToolButton) -> QMenu:
        """The three ways to open something, under one toolbar button."""
        menu = QMenu(parent)
        menu.addActions([self.open_model, self.open_recipe, self.open_run])
        return menu

    def fill(self, bar: QToolBar, open_button: QToolButton) -> None:
        """Put the main actions on the toolbar."""
        bar.addWidget(open_button)
        bar.addAction(self.save)
        bar.addSeparator()
        bar.addActions([self.plan, self.score, self.start])
        bar.addActions([self.pause, self.stop, self.resume])
        bar.addSeparator()
        bar.addAction(self.export)
        bar.addSeparator()
        bar.addActions([self.undo, self.redo])
        bar.widgetForAction(self.start).setObjectName("start")

    def _make(
        self, text: str, icon: str, tip: str, keys: str | Standard, role: str = "text"
    ) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(_finish_typing)  # before what the action does
        if keys:
            action.setShortcut(QKeySequence(keys))
        self._icons[action] = (icon, role)
        action.setIcon(assets.icon(icon, role))
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip or text} ({shown})" if shown else tip or text)
        return action

    def _name_pause(self, paused: bool) -> None:
        icon = "play" if paused else "pause"
        self.pause.setText("&Continue" if paused else "&Pause")
        self.pause.setToolTip(
            "Let the run go on (F6)" if paused else "Hold the run at its next step (F6)"
        )
        if self._icons[self.pause][0] != icon:
            self._icons[self.pause] = (icon, "text")
            self.pause.setIcon(assets.icon(icon))

    def _say_why(self, problems: dict[str, str]) -> None:
        if problems:
            key, reason = next(iter(problems.items()))
            self.start.setToolTip(f"Correct {key} first: {reason}")
        else:
            self.start.setToolTip("Prune with this recipe (F5)")


def _finish_typing() -> None:
    """Take the number that is being typed: a button leaves the keys where they are."""
    field = QApplication.focusWidget()
    if isinstance(field, QAbstractSpinBox):
        field.interpretText()
