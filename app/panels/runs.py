"""Runs panel: any number of runs in a table, and pictures of them below."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

import engine
from app.bridge import Bridge
from app.plots import export
from app.plots.empty import EmptyState
from app.plots.side_by_side import SideBySide
from app.preferences import Preferences
from app.records.runs import Runs
from app.runner import Runner
from app.tables.columns import Columns
from app.tables.runs_table import TITLES, RunsTableModel
from app.tables.runs_view import KEYS, RunsView
from app.tables.units import many
from app.view import Table, View
from app.workspace import Workspace
from engine.steering.events import LatencyMeasured

EMPTY = (
    "Press Add, or drop run folders here, to see runs side by side. Add all takes "
    "every run of your runs folder."
)
USUAL = (
    "Run", "State", "Final %", "Sparsity", "Method", "Dense %", "Pruned %", "MACs left",
    "Notes",
)  # fmt: skip
PARTS = (200, 300)  # pixels of the table and of what is below
REDRAW = 150  # milliseconds between two drawings while folders are being read


class RunsPanel(View):
    """Runs of this and other machines, however they ended.

    Args:
        workspace: Knows the layer, the recipe and whether the engine is free.
        bridge: Brings latencies.
        runner: Measures them.
        preferences: Where the list is remembered.
        parent: Qt's.
    """

    FILE, KINDS = "runs.csv", export.TABLES

    run_opened = Signal(object)  # Path of the run folder

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        runner: Runner,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._runner = workspace, runner
        self._preferences = preferences
        self._measuring = self._recalled = self._fitted = False
        self._told = ""
        self.runs = Runs(preferences, self)
        self.model = RunsTableModel(self)
        self.view = RunsView(self.model)
        self.columns = Columns(self.view, "runs", USUAL, preferences)
        self.below = SideBySide()
        self.note = QLabel(wordWrap=True)
        self.note.setContentsMargins(6, 0, 6, 0)
        self.note.hide()
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self._draw)
        self._lay_out()
        self._connect(bridge)
        self.setAcceptDrops(True)
        self._draw()

    def add(self, paths: list[Path]) -> None:
        """Add runs, and those in folders of runs."""
        self._hear("")
        self.runs.add(paths)

    def add_all(self) -> None:
        """Add every run of the runs folder."""
        self.add([self._preferences.runs])

    def catch_up(self) -> None:
        """Bring back the remembered runs, and draw what came while hidden."""
        if not self._recalled:
            self._recalled = True
            self.runs.recall()
        self.runs.watch(True)
        self._draw()

    def numbers(self) -> Table:
        """Every run with all columns."""
        return ("Folder", *TITLES), self.model.rows()

    def save(self, path: Path) -> None:
        """Write the table as CSV; the pictures below have a button of their own."""
        export.save_table(*self.numbers(), path)

    def close_down(self) -> None:
        """Read no more; the window ends."""
        self.runs.close()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks at runs that are being written."""
        super().hideEvent(event)
        self.runs.watch(False)

    def changeEvent(self, event: QEvent) -> None:
        """Chips follow the colours of the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.model.touch()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Folders are runs or hold some; anything else is the window's."""
        folders = _folders(event)
        if folders:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        self.add(_folders(event))
        event.acceptProposedAction()

    def _connect(self, bridge: Bridge) -> None:
        runs, view, below, workspace = self.runs, self.view, self.below, self._workspace
        runs.changed.connect(self._mark)
        runs.told.connect(self._hear)
        view.opened.connect(self.run_opened)
        view.removed.connect(runs.remove)
        view.drawn.connect(runs.draw)
        view.chosen.connect(below.choose)
        view.chosen.connect(self._offer)
        self.model.noted.connect(runs.write_notes)
        self.model.toggled.connect(lambda folder, on: runs.draw([folder], on))
        self.columns.changed.connect(view.fit)
        below.run_chosen.connect(view.show_run)
        below.curves_wanted.connect(runs.want_curves)
        below.layer_chosen.connect(workspace.select_layer)
        below.bar.measure_wanted.connect(self._measure)
        below.bar.stop_wanted.connect(self._runner.stop)
        workspace.layer_selected.connect(below.show_layer)
        workspace.state_changed.connect(self._on_state)
        bridge.on(LatencyMeasured, runs.take)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        self.buttons: dict[str, QPushButton] = {}
        for text, tip, slot in (
            ("Add…", "Choose one or more run folders, or a folder of them",
             self._choose_folders),
            ("Add all", "Every run of the runs folder", self.add_all),
            ("Remove", "Take the selected runs off the list (Delete); their folders "
             "stay", lambda: self.runs.remove(self.view.selected())),
            ("Refresh", "Look at every folder anew", self.runs.read_again),
        ):  # fmt: skip
            self.buttons[text] = self._button(bar, text, tip, slot)
        bar.addStretch(1)
        columns = self._button(bar, "Columns", "Choose what the table shows", None)
        columns.setMenu(self.columns.menu)
        self._button(bar, "Save…", "Every run and column as CSV", self.ask)
        self.view.setToolTip(KEYS)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(self.view)
        self.parts.addWidget(self.below)
        for part, share in enumerate(PARTS):
            self.parts.setStretchFactor(part, share)
        self.parts.setChildrenCollapsible(False)
        self.parts.setSizes(PARTS)
        self._stack = EmptyState(self.parts, EMPTY)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(bar)
        column.addWidget(self.note)
        column.addWidget(self._stack, 1)

    def _button(self, bar: QHBoxLayout, text: str, tip: str, slot) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        if slot is not None:
            button.clicked.connect(lambda: slot())
        bar.addWidget(button)
        return button

    def _mark(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _draw(self) -> None:
        entries = self.runs.entries
        fresh = len(entries) != len(self.model.entries)
        chosen = self.view.selected()
        self.model.set_entries(entries)
        self._stack.set_empty(not entries)
        read = sum(entry.digest is not None for entry in entries)
        if fresh or not self._fitted:  # names at once, the rest when it is known
            self.view.fit()
            self._fitted = read == len(entries)
        if fresh and chosen:
            self.view.show_run(chosen[0])
        self.below.show_runs(self.runs.drawn)
        told = f"{read} of {many(len(entries), 'run')} read"
        self._tell(told if read < len(entries) else self._told)
        self._offer()

    def _offer(self) -> None:
        self.buttons["Remove"].setEnabled(bool(self.view.selected()))
        self.buttons["Refresh"].setEnabled(bool(self.runs.entries))

    def _hear(self, text: str) -> None:
        self._told = text
        self._tell(text)

    def _tell(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _measure(self, images: int) -> None:
        folders = tuple(entry.folder for entry in self.runs.drawn)
        recipe = self._workspace.recipe
        self._measuring = True
        work = partial(engine.measure_latency, recipe, folders, images)
        self._runner.look(work, lambda done: None)

    def _on_state(self, state: str) -> None:
        if state == "idle":
            self._measuring = False
        self.below.bar.set_state(state, self._measuring)

    def _choose_folders(self) -> None:
        """The desktop's own dialog lets only one folder be chosen."""
        dialog = QFileDialog(self, "Add runs", str(self._preferences.runs))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        for kind in (QListView, QTreeView):
            for view in dialog.findChildren(kind):
                if view.objectName() in ("listView", "treeView"):
                    view.setSelectionMode(
                        QAbstractItemView.SelectionMode.ExtendedSelection
                    )
        dialog.filesSelected.connect(lambda chosen: self.add([*map(Path, chosen)]))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


def _folders(event: QDragEnterEvent | QDropEvent) -> list[Path]:
    """The folders among what is dragged."""
    paths = (Path(url.toLocalFile()) for url in event.mimeData().urls())
    return [path for path in paths if path.is_dir()]
