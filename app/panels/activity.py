"""Activity bar: what the run does now, how far it is, and what it uses."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QWidget

from app.bridge import Bridge
from app.tables.units import left, memory
from app.workspace import Workspace
from engine.comparing.cells import CellStarted, ComparisonEnded, ComparisonStarted
from engine.events import (
    LAST,
    Event,
    PhaseFinished,
    PhaseStarted,
    Progressed,
    RunFailed,
    RunPaused,
    RunResumed,
    RunStarted,
)
from engine.steering.events import LookEnded, LookStarted
from engine.words.events import in_words

PHASES = {
    "load": "Loading",
    "gradients": "Collecting gradients",
    "curvature": "Inverting curvature",
    "selection": "Choosing weights",
    "repair": "Repairing",
    "finetune": "Fine-tuning",
    "evaluate": "Measuring",
    "save": "Saving",
}
IDLE = "Ready. Press Start to prune, or Score to look at saliencies first."


class ActivityBar(QWidget):
    """One line for the status bar."""

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.phase = QLabel()
        self.phase.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.progress = QProgressBar()
        self.progress.setFixedWidth(180)
        self.progress.setTextVisible(False)  # a figure on the bar is hard to read
        self.progress.setMaximumHeight(self.fontMetrics().height() + 2)
        self.time_left = QLabel()
        widest = self.fontMetrics().horizontalAdvance("100 %, about 59 min left ")
        self.time_left.setMinimumWidth(widest)
        self.memory = QLabel()
        self.memory.setToolTip("Memory the run uses now")
        self.device = QLabel()
        self.device.setToolTip("Where the run computes")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 0)
        layout.setSpacing(12)
        layout.addWidget(self.phase, 1)
        for widget in (self.progress, self.time_left, self.memory, self.device):
            layout.addWidget(widget)
        workspace.state_changed.connect(self._show)
        bridge.heard.connect(self._add)
        bridge.begun.connect(self._clear)
        self._clear()

    def _clear(self) -> None:
        self._words, self._cell, self._outcome = "Starting", "", IDLE
        self._running = self._paused = False
        self._progress: Progressed | None = None
        self.memory.clear()
        self.device.clear()
        self._show()

    def _add(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Progressed):
                self._progress = event
                if event.memory:
                    self.memory.setText(memory(event.memory))
            elif isinstance(event, PhaseStarted):
                self._words = PHASES.get(event.name, event.name.capitalize())
                self._progress = None
            elif isinstance(event, PhaseFinished):
                self._progress = None
            elif isinstance(event, RunPaused | RunResumed):
                self._paused = isinstance(event, RunPaused)
            elif isinstance(event, RunStarted | LookStarted):
                self._running, self._paused = True, False
                self._words = "Starting"
                self.device.setText(event.device)
            elif isinstance(event, ComparisonStarted):
                self._running, self._paused = True, False
                self._words = "Starting"
            elif isinstance(event, CellStarted):
                self._cell = f"Cell {event.number} of {event.total}: "
            elif isinstance(event, (*LAST, ComparisonEnded, LookEnded)):
                self._running, self._progress, self._cell = False, None, ""
                self._outcome = _outcome(event)
        self._show()

    def _show(self) -> None:
        running, progress = self._running, self._progress
        words = self._words if running else self._outcome
        if running and progress:
            words = progress.label or words
        if running and self._cell:
            words = f"{self._cell}{words[:1].lower()}{words[1:]}"
        if running and self._workspace.state == "stopping":
            words = "Stopping: saving what is done"
        elif running and self._paused:
            words = f"Paused ({words[:1].lower()}{words[1:]})"
        self.phase.setText(words)
        self.phase.setToolTip(words)
        known = progress is not None and progress.total > 0
        self.progress.setVisible(running and (known or not self._paused))
        self.progress.setRange(0, progress.total if known else 0)
        self.progress.setValue(progress.done if known else 0)
        self.time_left.setText(self._remaining(progress) if known else "")
        self.time_left.setVisible(running)

    def _remaining(self, progress: Progressed) -> str:
        """How far the phase is, and for how long it will go on."""
        share = f"{100 * progress.done // progress.total} %"
        remaining = "" if self._paused else left(progress.seconds_left)
        return ", ".join(filter(None, (share, remaining)))


def _outcome(event: Event) -> str:
    words = in_words(event)[0]
    return f"Failed: {words}" if isinstance(event, RunFailed) else words
