"""Timeline panel: the moments of a run; look at one, walk among them, branch there."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.family import Family
from app.plots.base import small_font
from app.plots.timeline import TimelineFigure
from app.records.timeline import COLUMNS, Nodes, Spot, row
from app.view import Table, View
from app.workspace import Workspace
from engine.events import Event, NodeKept
from engine.records.timeline import Line

PAUSE = 120  # milliseconds a walk rests before every view follows
EMPTY = (
    "Press Start (F5): every prune and epoch becomes a node here, to look back at and "
    "to branch from."
)
NOTHING_KEPT = (
    "This run keeps no timeline. Set Timeline to everything (step Machine, More) and "
    "start it again."
)
HINT = "Click a node or walk with the arrow keys: all views show it. Esc goes back."


class TimelinePanel(View):
    """The run on show in the first line, the runs that share moments with it below.

    A node of the run is looked at as soon as it is chosen; one of another run only says
    what it is, until that run is opened.
    """

    FILE = "timeline.png"

    branch_wanted = Signal(object)  # NodeKept
    run_wanted = Signal(object)  # Path of another run

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        family: Family,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._bridge = bridge
        self._family = family
        self.nodes = Nodes()
        self._spot: Spot | None = None  # as chosen; None is the newest of the run
        self.figure = TimelineFigure()
        self._lay_out()
        self._walk = QTimer(self, singleShot=True, interval=PAUSE)
        self._walk.timeout.connect(self._look)
        self.figure.left.connect(self._go_back)
        self.figure.chosen.connect(self._choose)
        self.figure.walked.connect(self._step)
        self.figure.wanted.connect(self._open)
        workspace.state_changed.connect(self.catch_up)
        family.changed.connect(self.catch_up)
        bridge.heard.connect(self._add)
        bridge.begun.connect(self._clear)
        bridge.looked.connect(self._follow)
        self.catch_up()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The run on show, then the others."""
        folder = self._workspace.folder or Path()
        return (Line(folder, self.nodes.all), *self._family.others)

    @property
    def chosen(self) -> tuple[Line, NodeKept]:
        """The chosen node, and the run that it is shown as one of."""
        line, number = self._spot or (0, self.nodes.all[-1].node)
        of = self.lines[line]
        return of, next(node for node in of.nodes if node.node == number)

    def numbers(self) -> Table:
        """Every node."""
        return COLUMNS, self._rows()

    def _lay_out(self) -> None:
        self.newest = QPushButton("Newest")
        self.newest.setToolTip("Show the run as it stands (Esc)")
        self.newest.clicked.connect(self._go_back)
        self.branch = QPushButton("Branch from here…")
        self.branch.clicked.connect(self._branch)
        save = QPushButton("Save…")
        save.setToolTip("A picture (PNG, SVG) or the nodes (CSV)")
        save.clicked.connect(self.ask)
        reset = QPushButton("Reset view")
        reset.setToolTip("Show all nodes")
        reset.clicked.connect(self.figure.reset_view)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        for button in (self.newest, self.branch):
            bar.addWidget(button)
        bar.addStretch(1)
        for button in (reset, save):
            bar.addWidget(button)
        self.readout, hint = QLabel(), QLabel(HINT)
        hint.setProperty("role", "muted")
        for label in (self.readout, hint):
            label.setFont(small_font())
            label.setContentsMargins(6, 0, 6, 2)
            label.setSizePolicy(
                QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
            )
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(bar)
        column.addWidget(self.figure, 1)
        column.addWidget(self.readout)
        column.addWidget(hint)
        self._stack = self.fill(content, EMPTY)

    def _add(self, events: list[Event]) -> None:
        if self.nodes.add(events):
            if self._workspace.state != "idle":
                self._family.look()  # a live branch has its folder by now
            self.catch_up()

    def _clear(self) -> None:
        self.nodes = Nodes()
        self._spot = None
        self.catch_up()

    def catch_up(self) -> None:
        """Show things as they are now."""
        if not self.isVisible():
            return
        opened = self._workspace.folder is not None
        rests = opened and self._workspace.state == "idle"
        self._stack.set_empty(not self.nodes.all, NOTHING_KEPT if rests else EMPTY)
        if not self.nodes.all:
            return
        if not self._is_there(self._spot):
            self._spot = None
        _, node = self.chosen
        own = self._spot is None or self._spot[0] == 0
        self.figure.draw(
            self.lines, self.nodes.ahead, self._spot or (0, self.nodes.all[-1].node)
        )
        other = f"Enter opens this run: {Nodes().words(node)}"
        self.readout.setText(self.nodes.words(node) if own else other)
        self.readout.setToolTip(self.readout.text())
        self.newest.setEnabled(self._spot is not None)
        self.branch.setEnabled(own and opened and self._workspace.state == "idle")
        self.branch.setToolTip(self._why(own))

    def _why(self, own: bool) -> str:
        if not own:
            return "Open that run first (Enter)"
        if self._workspace.state != "idle":
            return "Stop the run first: a branch is a run of its own"
        return "Go on from this moment in a new run, with the recipe as it is now"

    def _is_there(self, spot: Spot | None) -> bool:
        if spot is None or spot[0] >= len(self.lines):
            return False
        return any(node.node == spot[1] for node in self.lines[spot[0]].nodes)

    def _choose(self, spot: Spot) -> None:
        self._spot = spot
        self.catch_up()
        self._look()

    def _step(self, right: int, down: int) -> None:
        """Walk to the nearest node that way; every view follows after a rest."""
        line, number = self._spot or (0, self.nodes.all[-1].node)
        line = min(max(line + down, 0), len(self.lines) - 1)
        there = [node.node for node in self.lines[line].nodes]
        number = min(there, key=lambda each: abs(each - number - right))
        self._spot = (line, number)
        self.catch_up()
        self._walk.start()

    def _look(self) -> None:
        """Show the chosen moment in every view, if it is one of this run."""
        self._walk.stop()
        if self._spot is not None and self._spot[0] == 0:
            self._bridge.look(self.chosen[1])

    def _go_back(self) -> None:
        self._walk.stop()
        self._spot = None
        self._bridge.look(None)
        self.catch_up()

    def _follow(self) -> None:
        """Somebody else went back to the newest."""
        if self._bridge.moment is None and (self._spot or (0, 0))[0] == 0:
            self._spot = None
            self.catch_up()

    def _open(self) -> None:
        line, _ = self.chosen
        if self._spot is not None and self._spot[0]:
            self.run_wanted.emit(line.folder)

    def _branch(self) -> None:
        self._look()
        self.branch_wanted.emit(self.chosen[1])

    def _rows(self) -> Iterator[tuple]:
        for line in self.lines:
            yield from (row(line.folder.name, node) for node in line.nodes)
