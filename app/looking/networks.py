"""Networks: the two that can be looked at, that of the next prune and the run's."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

import engine
from app.background import Background
from app.bridge import Bridge
from app.steering.steering import Steering
from app.workspace import Workspace
from engine import Network
from engine.errors import EngineError
from engine.events import (
    EpochFinished,
    Evaluated,
    Pruned,
    Restored,
    RunFinished,
    RunStopped,
    Saved,
)

NEXT, RUN = "next", "run"
TITLES = {NEXT: "Next prune", RUN: "Run on show"}
NONE = {
    NEXT: "Press Score (F9) to look at the network and what the next prune would "
    "remove, or choose the run on show above.",
    RUN: "Press Start, or open a run folder, to look at its network.",
}
NEWS = (Restored, Pruned, Evaluated, EpochFinished, Saved, RunStopped, RunFinished)
AGAIN = 400  # milliseconds between news of a run and reading it anew


class Networks(QObject):
    """Knows both; the run's is read on a thread of its own, when somebody looks.

    Attributes:
        images: Those that looks have read, for the next ones; a run needs the memory.
        reading: The thread.
    """

    changed = Signal(str)  # NEXT or RUN
    crashed = Signal(object)  # an exception that is a defect

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        steering: Steering,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._steering = workspace, steering
        self._bridge = bridge
        self.reading, self.images = Background(self), engine.Known()
        self._found: dict[str, Network | None] = dict.fromkeys(TITLES)
        self._problem = ""
        self._stale, self._ticket = True, 0
        self._later = QTimer(self, singleShot=True, interval=AGAIN)
        self._later.timeout.connect(lambda: self.changed.emit(RUN))
        steering.changed.connect(self._forecast)
        workspace.folder_changed.connect(self._forget)
        bridge.looked.connect(self._forget)
        workspace.state_changed.connect(self._make_room)
        for event in NEWS:
            bridge.on(event, lambda _: self._go_stale())
        self._forecast()

    def close(self) -> None:
        """End the thread."""
        self._ticket += 1
        self._later.stop()
        self.reading.close()

    def of(self, which: str) -> Network | None:
        """The network; None while there is none, or none yet."""
        return self._found[which]

    def problem(self, which: str) -> str:
        """Why there is none, and what to do, in sentences."""
        if which == NEXT or self._workspace.folder is None:
            return NONE[which]
        return self._problem or "Reading the run's network\N{HORIZONTAL ELLIPSIS}"

    def note(self, which: str) -> str:
        """What to know about the network on show, in a sentence."""
        if which == NEXT:
            return self._steering.problem or self._steering.note
        network = self._found[RUN]
        return network.moment if network else ""

    def obstacle(self, which: str) -> str:
        """Why no curvature can be fitted around it now; empty when one can."""
        if self._workspace.state != "idle":
            return "Nothing can be fitted while a run is going on."
        return self._steering.problem if which == NEXT else ""

    def look(self, which: str) -> None:
        """Somebody looks at this one: see that it is up to date."""
        if which == RUN and self._stale and not self._later.isActive():
            self._read()

    def _forecast(self) -> None:
        scored, forecast = self._steering.scored, self._steering.forecast
        network = None
        if scored is not None:
            units = forecast.units if forecast else {}
            recipe = scored.recipe.model_copy(
                update={"allocation": self._workspace.recipe.allocation}
            )
            network = engine.scored_network(recipe, scored.study, units)
        if network is None and self._found[NEXT] is None:
            return
        self._found[NEXT] = network
        self.changed.emit(NEXT)

    def _make_room(self, state: str) -> None:
        if state == "running":
            self.images = engine.Known()

    def _forget(self) -> None:
        """Another run, another moment of it, or none is on show."""
        self._ticket += 1
        self._found[RUN], self._problem, self._stale = None, "", True
        self.changed.emit(RUN)

    def _go_stale(self) -> None:
        """Whoever looks at it hears in a moment and looks again."""
        self._stale = True
        if not self._later.isActive():
            self._later.start()

    def _read(self) -> None:
        folder = self._workspace.folder
        if folder is None:
            return
        self._stale = False
        self._ticket += 1
        ticket, moment = self._ticket, self._bridge.moment
        node = moment.node if moment else None
        self.reading.do(
            lambda: engine.run_network(folder, node),
            lambda network: self._take(ticket, network, ""),
            lambda error: self._fail(ticket, folder, error),
        )

    def _take(self, ticket: int, network: Network | None, problem: str) -> None:
        if ticket == self._ticket:
            self._found[RUN], self._problem = network, problem
            self.changed.emit(RUN)

    def _fail(self, ticket: int, folder: Path, error: BaseException) -> None:
        if isinstance(error, EngineError):
            began = self._workspace.state != "idle" and not folder.is_dir()
            told = f"{error.message} {error.hint}"
            self._take(ticket, None, NONE[RUN] if began else told)
        else:
            self.crashed.emit(error)
