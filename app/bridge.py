"""Bridge: the mailbox between the engine's thread and the window."""

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.comparing.cells import CELL_EVENTS
from engine.events import (
    EVENTS,
    Event,
    Noticed,
    PhaseStarted,
    Progressed,
    RunPaused,
    RunResumed,
)
from engine.steering.events import LOOK_EVENTS

INTERVAL = 33  # milliseconds between two looks into the mailbox
BUDGET = 0.008  # seconds of unpacking per look, so a long replay never stalls
BESIDE = (*CELL_EVENTS, *LOOK_EVENTS)
NEWS = (*BESIDE, PhaseStarted, Progressed, RunPaused, RunResumed)


class _Channel(QObject):
    """The signal of one event type; carries the list that came in one tick."""

    came = Signal(object)  # the list itself: Signal(list) would copy it item by item


class Bridge(QObject):
    """Collects events from any thread and hands them to the panels on the GUI thread.

    A Qt signal per event would swamp the event loop; one list per type and tick
    does not.
    """

    cleared = Signal()  # a new run, or a replay, begins: forget what is shown
    drained = Signal()  # the mailbox is empty

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mail: deque[Event] = deque()
        self._channels = {event: _Channel(self) for event in (Event, *EVENTS, *BESIDE)}
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._drain)
        self._timer.start()

    def on(self, event: type[Event], slot: Callable[[list], None]) -> None:
        """Call `slot` with the list of events of this type, at most once a tick.

        `Event` itself stands for every type: the list keeps the order of posting.
        """
        self._channels[event].came.connect(slot)

    def post(self, event: Event) -> None:
        """Drop an event into the mailbox; any thread, never blocks."""
        self._mail.append(event)

    def when_empty(self, slot: Callable[[], None]) -> None:
        """Call `slot` once, after everything posted so far was handed out."""
        if self._mail:
            self.drained.connect(slot, Qt.ConnectionType.SingleShotConnection)
        else:
            slot()

    def clear(self) -> None:
        """Forget undelivered mail and tell the panels to start over."""
        self._mail.clear()
        self.cleared.emit()

    def _drain(self) -> None:
        if not self._mail:
            return
        every: list[Event] = []
        batch: dict[type[Event], list[Event]] = {Event: every}
        until = time.perf_counter() + BUDGET
        while self._mail and time.perf_counter() < until:
            event = self._mail.popleft()
            every.append(event)
            if isinstance(event, Progressed):
                batch[Progressed] = [event]  # only the newest matters
            else:
                batch.setdefault(type(event), []).append(event)
        for kind, events in batch.items():
            self._channels[kind].came.emit(events)
        if not self._mail:
            self.drained.emit()


def news(post: Callable[[Event], None]) -> Callable[[Event], None]:
    """Passes on what concerns a comparison or a scoring, beside the run on show.

    Of the work inside only progress and new warnings are told.
    """
    warned: set[str] = set()

    def tell(event: Event) -> None:
        warning = isinstance(event, Noticed) and event.level == "warning"
        if isinstance(event, NEWS) or (warning and event.message not in warned):
            if warning:
                warned.add(event.message)
            post(event)

    return tell
