"""MainWindow: all panels in their places, and every connection between them."""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QSplitter,
)

from app import assets, geometry
from app.actions import Actions
from app.background import Background
from app.banner import Banner
from app.branching import Branching
from app.bridge import Bridge
from app.centre import centre
from app.commands import Commands
from app.comparing import Comparing
from app.dialogs.closing import ask_to_close
from app.errors import Net
from app.family import Family
from app.files import Files
from app.forms.draft import Draft
from app.history import History
from app.inspector import Inspector
from app.menus import build_menus, build_toolbar, panel_actions
from app.moment import MomentBar
from app.panels.activity import ActivityBar
from app.panels.layer_table import LayerTablePanel
from app.panels.log import LogPanel
from app.panels.recipe import RecipePanel
from app.preferences import Preferences
from app.runner import Runner
from app.steering.steering import Steering
from app.steering.thresholds.probing import Probing
from app.theme import Theme
from app.views import Views
from app.workspace import Workspace
from engine.recipe import Recipe

COLUMNS = (352, 640, 400)  # logical pixels: recipe, plots, layer table
PARTS = ("geometry", "columns", "rows")  # whose sizes are remembered
ROWS = (620, 150)  # all of that, log
NARROW, LOW = 1000, 560  # a screen below this starts without layer table or log


class MainWindow(QMainWindow):
    """The workbench.

    Args:
        preferences: Where sizes, theme and trusted files are remembered.
        path: What to open first.
    """

    def __init__(self, preferences: Preferences, path: Path | None = None) -> None:
        super().__init__()
        assets.apply_theme(QApplication.instance(), preferences.values.theme)
        self._preferences = preferences
        self._name = ""
        self._closing = False
        self.workspace = Workspace(Recipe(), self)
        self.bridge = Bridge(self)
        self.draft = Draft(self.workspace, self)
        self.probing = Probing(self.workspace, preferences, self)
        self.background = Background(self)
        common = (self.workspace, self.bridge, preferences, self.background)
        self.inspector = Inspector(*common, self)
        self.runner = Runner(*common, self.inspector, self.probing, self)
        self.history = History(self.workspace, self.bridge, self.background, self)
        self.recipe_panel = RecipePanel(self.workspace, self.draft, self)
        self.steering = Steering(self.workspace, self.bridge, self)
        self.family = Family(self.workspace, self)
        self.views = Views(
            self.workspace, self.bridge, self.runner, self.steering, self.probing,
            self.family, preferences, self,
        )  # fmt: skip
        self.layer_table = LayerTablePanel(
            self.workspace, self.bridge, self.steering, preferences
        )
        self.log = LogPanel(self.workspace, self.bridge)
        self.activity = ActivityBar(self.workspace, self.bridge)
        self.notice = Banner(wide=True, parent=self)
        self.moment = MomentBar(self.bridge, self)
        self.actions_ = Actions(self.workspace, self.draft, self)
        self.files = Files(
            self.workspace, self.inspector, self.history, preferences, self.notice, self
        )
        self.commands = Commands(
            self.workspace, self.draft, self.inspector, self.runner, preferences,
            self.recipe_panel, self.notice, self,
        )  # fmt: skip
        self.comparing = Comparing(
            self.workspace, self.runner, preferences, self.notice, self
        )
        self.branching = Branching(
            self.workspace, self.draft, self.runner, preferences, self.views.timeline,
            self.notice, self,
        )  # fmt: skip
        self.net = Net(self.commands.on_defect, self)
        self._lay_out()
        self._connect()
        self._restore()
        self._show_title()
        if preferences.problem:
            self.notice.tell(preferences.problem, "warning")
        if path is not None:
            self.files.open(path)
        if self.workspace.folder is None:
            self.inspector.inspect()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders may be dropped anywhere."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        for url in event.mimeData().urls()[:1]:
            self.files.open(Path(url.toLocalFile()))
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask during a run; else remember the sizes and end the engine's thread."""
        self.history.leave()
        if self.workspace.state != "idle":
            event.ignore()
            if not self._closing:
                self._ask_to_close()
            return
        self._remember()
        self.hide()
        self.inspector.close()
        self.runner.close()
        self.family.close()
        self.views.runs.close_down()
        self.probing.close()
        self.probing.join()
        self.views.networks.close()
        self.net.remove()
        event.accept()

    def _lay_out(self) -> None:
        self.setWindowIcon(assets.application_icon())
        self.setAcceptDrops(True)
        middle = centre((self.notice, self.moment), self.views, self)
        self._columns = QSplitter(Qt.Orientation.Horizontal, self)
        for widget in (self.recipe_panel, middle, self.layer_table):
            self._columns.addWidget(widget)
        self._columns.setStretchFactor(1, 1)
        self._rows = QSplitter(Qt.Orientation.Vertical, self)
        self._rows.addWidget(self._columns)
        self._rows.addWidget(self.log)
        self._rows.setStretchFactor(0, 1)
        for splitter in (self._columns, self._rows):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(2)
        self.setCentralWidget(self._rows)
        self.statusBar().addWidget(self.activity, 1)
        self.statusBar().setSizeGripEnabled(False)
        button = build_toolbar(self, self.actions_)
        self.theme = Theme(self._preferences, self.actions_, button, self)
        self._panel_actions = panel_actions(
            self,
            (
                ("&Recipe", self.recipe_panel),
                ("&Layer table", self.layer_table),
                ("L&og", self.log),
            ),
        )
        build_menus(
            self, self.actions_, self._panel_actions, self._preferences,
            self.files.open,
        )  # fmt: skip

    def _connect(self) -> None:
        """Every signal between panels, engine and commands."""
        do, act, files, runner = self.commands, self.actions_, self.files, self.runner
        act.open_model.triggered.connect(files.open_model)
        act.open_recipe.triggered.connect(files.open_recipe)
        act.open_run.triggered.connect(files.open_run)
        act.save.triggered.connect(files.save)
        act.plan.triggered.connect(do.plan)
        act.score.triggered.connect(self._score)
        act.start.triggered.connect(do.start)
        act.compare.triggered.connect(self.comparing.ask)
        act.pause.triggered.connect(do.pause_or_continue)
        act.stop.triggered.connect(runner.stop)
        act.resume.triggered.connect(do.resume)
        act.export.triggered.connect(do.export)
        act.show_folder.triggered.connect(do.show_folder)
        act.undo.triggered.connect(do.undo)
        act.redo.triggered.connect(self.workspace.redo)
        act.preferences.triggered.connect(self._edit_preferences)
        act.about.triggered.connect(do.about)
        act.quit.triggered.connect(self.close)
        act.themes.triggered.connect(self.theme.choose)
        do.resumable_changed.connect(act.set_resumable)
        files.left.connect(lambda: act.set_resumable(False))
        files.named.connect(self._on_named)
        files.comparison_opened.connect(self.comparing.open)
        self.comparing.begun.connect(self._show_comparison)
        self.comparing.opened.connect(self.views.compare.set_comparison)
        self.comparing.opened.connect(self._show_comparison)
        self.views.compare.cell_opened.connect(files.open)
        self.views.runs.run_opened.connect(files.open)
        do.preferences_wanted.connect(self._edit_preferences)
        self.inspector.inspected.connect(do.on_inspected)
        self.inspector.inspect_failed.connect(do.on_inspect_failed)
        self.inspector.trust_needed.connect(do.on_trust_needed)
        self.inspector.crashed.connect(do.on_defect)
        runner.trust_needed.connect(do.on_trust_needed)
        runner.run_failed.connect(do.on_run_failed)
        runner.run_ended.connect(do.on_run_ended)
        runner.run_ended.connect(self.comparing.on_run_ended)
        runner.run_ended.connect(self.views.compare.rest)
        runner.run_ended.connect(self._on_run_ended)
        runner.crashed.connect(do.on_defect)
        self.probing.crashed.connect(do.on_defect)
        self.views.networks.crashed.connect(do.on_defect)
        self.family.failed.connect(do.on_defect)
        self.views.timeline.run_wanted.connect(files.open)
        runner.scored.connect(self.workspace.set_scored)
        self.history.opened.connect(do.on_run_opened)
        self.history.failed.connect(do.on_defect)
        self.workspace.folder_changed.connect(self._show_title)
        self.workspace.state_changed.connect(self._show_title)
        QApplication.styleHints().colorSchemeChanged.connect(self.theme.follow)

    def _show_title(self) -> None:
        folder = self.workspace.folder
        shown = folder.name if folder else self._name or "New recipe"
        state = self.workspace.state
        busy = f" ({state})" if state != "idle" else ""
        self.setWindowTitle(f"{shown}{busy} - Secateur")

    def _on_named(self, name: str) -> None:
        self._name = name
        self._show_title()

    def _show_comparison(self) -> None:
        self.views.setCurrentWidget(self.views.compare)

    def _score(self) -> None:
        self.views.setCurrentWidget(self.views.thresholds)
        self.runner.score()

    def _on_run_ended(self) -> None:
        if self._closing:
            QTimer.singleShot(0, self.close)

    def _ask_to_close(self) -> None:
        answer = ask_to_close(self.runner.looking, self)
        self._closing = answer != "cancel"
        if answer == "stop":
            self.runner.stop()
        elif answer == "keep":
            self.showMinimized()
        if self._closing and self.workspace.state == "idle":  # it ended meanwhile
            QTimer.singleShot(0, self.close)

    def _edit_preferences(self) -> None:
        if self.commands.edit_preferences():
            self.theme.renew()

    def _remember(self) -> None:
        saves = (self.saveGeometry, self._columns.saveState, self._rows.saveState)
        parts = dict(zip(PARTS, saves, strict=True))
        self._preferences.change(window=geometry.remembered(parts))

    def _restore(self) -> None:
        self.theme.renew()
        room = self.screen().availableSize()
        self.resize(min(1440, room.width()), min(900, room.height()))
        self._columns.setSizes(COLUMNS)
        self._rows.setSizes(ROWS)
        puts = self.restoreGeometry, self._columns.restoreState, self._rows.restoreState
        parts = dict(zip(PARTS, puts, strict=True))
        geometry.restore(parts, self._preferences.values.window)
        _, layer_table, log = self._panel_actions
        layer_table.setChecked(room.width() >= NARROW)
        log.setChecked(room.height() >= LOW)
