"""Log panel: what the run did, in plain words."""

from collections import deque

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QFontDatabase, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.empty import EmptyState
from app.tables.log_lines import Line, lines
from app.tables.log_model import LogModel
from app.workspace import Workspace
from engine.events import CheckpointLoaded, Event, ModelLoaded

EMPTY = "Press Start to see here what the run does."
STRETCH = QHeaderView.ResizeMode.Stretch
SLICE = 1000  # events per turn of the event loop
NO_WARNINGS = "No warnings so far."


class LogPanel(QWidget):
    """Lines that follow the run until someone scrolls up."""

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.model = LogModel(self)
        self.view = QTableView()  # a list view lays out every row anew for each line
        self.view.setModel(self.model)
        self.view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.view.setFrameShape(QTableView.Shape.NoFrame)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setTabKeyNavigation(False)
        self.view.horizontalHeader().hide()
        self.view.horizontalHeader().setSectionResizeMode(STRETCH)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setMinimumSectionSize(1)
        self.view.verticalHeader().setDefaultSectionSize(
            self.view.fontMetrics().height() + 1
        )
        self.view.setAccessibleName("Log")
        self.filter = QComboBox()
        self.filter.addItems(["All lines", "Warnings"])
        self.filter.setAccessibleName("Which lines")
        self.filter.activated.connect(self._choose)
        self.copy = QAction("Copy", self)
        self.copy.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.copy.triggered.connect(self._copy)
        self.view.addAction(self.copy)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        button = QPushButton("Copy")
        button.setToolTip("Copy the selected lines, or all when none is selected")
        button.clicked.connect(self._copy)
        side = QVBoxLayout()
        side.setContentsMargins(0, 4, 6, 4)
        side.addWidget(self.filter)
        side.addWidget(button)
        side.addStretch(1)
        self._stack = EmptyState(self.view, EMPTY)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack, 1)
        layout.addLayout(side)
        self._pending: deque[Event] = deque()
        self._seen: dict[type[Event], list[str]] = {}  # of the network on show
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._write)
        bridge.on(Event, self._add)
        bridge.cleared.connect(self._clear)

    def _add(self, events: list[Event]) -> None:
        self._pending.extend(events)
        self._write()

    def _write(self) -> None:
        """Turn some events into lines; the rest waits, so a replay never stalls."""
        some = [self._pending.popleft() for _ in range(min(SLICE, len(self._pending)))]
        bar = self.view.verticalScrollBar()
        follows = bar.value() >= bar.maximum()
        self.model.extend([line for event in some for line in self._news(event)])
        self._show_state()
        if follows:
            self.view.scrollToBottom()
        if self._pending:
            self._timer.start()

    def _news(self, event: Event) -> list[Line]:
        """An event's lines; a network that is looked at anew says nothing twice."""
        told = list(lines(event))
        if isinstance(event, (CheckpointLoaded, ModelLoaded)):
            texts = [line.text for line in told]
            if self._seen.get(type(event)) == texts:
                return []
            self._seen[type(event)] = texts
        elif told:
            self._seen.clear()
        return told

    def _clear(self) -> None:
        self._pending.clear()
        self._seen.clear()
        self.model.clear()
        self._show_state()

    def _choose(self, row: int) -> None:
        self.model.set_only_warnings(row == 1)
        self._show_state()
        self.view.scrollToBottom()

    def _show_state(self) -> None:
        text = NO_WARNINGS if self.filter.currentIndex() == 1 else EMPTY
        self._stack.set_empty(self.model.rowCount() == 0, text)

    def _copy(self) -> None:
        chosen = sorted(index.row() for index in self.view.selectedIndexes())
        rows = chosen or range(self.model.rowCount())
        texts = [self.model.index(row).data() for row in rows]
        QGuiApplication.clipboard().setText("\n".join(texts) + "\n")
