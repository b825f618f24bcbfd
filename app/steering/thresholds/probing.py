"""Probing: accuracy of the forecast's masks, measured beside the window."""

from PySide6.QtCore import QObject, Signal

from app.preferences import Preferences
from app.workspace import Scored, Workspace
from engine import Probed, Prober
from engine.errors import EngineError


class Probing(QObject):
    """One prober at a time, for the scored network that was asked about last.

    A run needs the memory and the processors, so there is none during a run.
    """

    probed = Signal(object)  # Probed
    failed = Signal(object)  # EngineError that ended it
    crashed = Signal(object)  # any other exception: a defect
    _answered = Signal(object, object)  # Prober's number, answer

    def __init__(
        self,
        workspace: Workspace,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._prober: Prober | None = None
        self._ending: list[Prober] = []
        self._scored: Scored | None = None
        self._number = 0
        self._answered.connect(self._deliver)
        workspace.state_changed.connect(self._make_room)

    def ask(self, scored: Scored, units: dict[str, int]) -> None:
        """Measure with so many units gone; what was asked before is forgotten."""
        if scored is not self._scored:
            self.close()
            self._scored, number = scored, self._number
            self._prober = Prober(
                scored.recipe,
                scored.study,
                lambda answer: self._answered.emit(number, answer),
                self._preferences.trusted,
            )
        if self._prober is not None:
            self._prober.ask(units)

    def rest(self) -> None:
        """Nobody looks any more."""
        if self._prober is not None:
            self._prober.rest()

    def close(self) -> None:
        """Let the thread end after what it does now; its answers no longer count."""
        self._number += 1
        if self._prober is not None:
            self._prober.close()
            self._ending.append(self._prober)
        self._prober = self._scored = None

    def join(self) -> None:
        """Wait for the end of every closed thread; may be called on any thread."""
        while self._ending:
            self._ending.pop().close(wait=True)

    def _make_room(self, state: str) -> None:
        if state == "running":
            self.close()

    def _deliver(self, number: int, answer: Probed | Exception) -> None:
        if number != self._number:
            return
        if isinstance(answer, Probed):
            self.probed.emit(answer)
        else:
            self._prober = None  # and is not tried again for these saliencies
            if not isinstance(answer, EngineError):
                self.crashed.emit(answer)
                answer = EngineError("It ended unexpectedly.", "See the report.")
            self.failed.emit(answer)
