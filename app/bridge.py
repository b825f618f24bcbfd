"""Bridge: the mailbox between the engine's thread and the window."""

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.comparing.cells import CELL_EVENTS
from engine.events import (
    EVENTS,
    CheckpointLoaded,
    Event,
    ModelLoaded,
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
AGAIN = 500  # events per look that are shown again: panels have their work with them
PASSING = frozenset((*BESIDE, ModelLoaded, CheckpointLoaded))  # shown in any case
NEWS = frozenset((*BESIDE, PhaseStarted, Progressed, RunPaused, RunResumed))


class _Channel(QObject):
    """The signal of one event type; carries the list that came in one tick."""

    came = Signal(object)  # the list itself: Signal(list) would copy it item by item


class Bridge(QObject):
    """Collects events from any thread and hands them to the panels on the GUI thread.

    A Qt signal per event would swamp the event loop; one list per type and tick
    does not.

    What was said of the run on show is remembered, so that any moment of it can be
    shown again by telling its events anew, while a live run goes on unheard.
    """

    cleared = Signal()  # another run or moment is shown: forget what was
    begun = Signal()  # a new run, or a replay, begins
    heard = Signal(object)  # the events of a tick as they come, whatever is shown
    looked = Signal()  # another moment is shown
    drained = Signal()  # the mailbox is empty

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mail: deque[Event] = deque()
        self._told: list[Event] = []
        self._again: deque[Event] = deque()
        self._moment: Event | None = None
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
        if self._mail or self._again:
            self.drained.connect(slot, Qt.ConnectionType.SingleShotConnection)
        else:
            slot()

    def clear(self) -> None:
        """Forget undelivered mail and tell the panels to start over."""
        self._mail.clear()
        self._told.clear()
        self._again.clear()
        looked, self._moment = self._moment, None
        self.begun.emit()
        self.cleared.emit()
        if looked is not None:
            self.looked.emit()

    @property
    def moment(self) -> Event | None:
        """The event that the run is shown up to; None when it is shown as it stands."""
        return self._moment

    def look(self, moment: Event | None) -> None:
        """Show the run as it stood after this event, or as it stands.

        Args:
            moment: One of those that were `heard`; None is the newest.
        """
        if moment is self._moment:
            return
        told = self._told
        if moment is not None:
            here = (i for i in reversed(range(len(told))) if told[i] is moment)
            told = told[: next(here) + 1]
        self._moment = moment
        self._again = deque(told)
        self.cleared.emit()
        self.looked.emit()

    def _drain(self) -> None:
        if not self._mail and not self._again:
            return
        news = self._unpack()
        if news:
            self.heard.emit(news)
        if self._moment is not None:
            news = [each for each in news if type(each) in PASSING]
        elif self._again:  # their turn comes after what was said before
            self._again += news
            news = []
        count = min(AGAIN, len(self._again))
        self._hand_out([*(self._again.popleft() for _ in range(count)), *news])
        if not self._mail and not self._again:
            self.drained.emit()

    def _unpack(self) -> list[Event]:
        """What came, as much as there is time for, remembered."""
        found: list[Event] = []
        until = time.perf_counter() + BUDGET
        while self._mail and time.perf_counter() < until:
            event = self._mail.popleft()
            found.append(event)
            if type(event) not in NEWS:
                self._told.append(event)
        return found

    def _hand_out(self, events: list[Event]) -> None:
        batch: dict[type[Event], list[Event]] = {Event: events}
        for event in events:
            if isinstance(event, Progressed):
                batch[Progressed] = [event]  # only the newest matters
            else:
                batch.setdefault(type(event), []).append(event)
        for kind, some in batch.items() if events else ():
            self._channels[kind].came.emit(some)


def news(post: Callable[[Event], None]) -> Callable[[Event], None]:
    """Passes on what concerns a comparison or a scoring, beside the run on show.

    Of the work inside only progress and new warnings are told.
    """
    warned: set[str] = set()

    def tell(event: Event) -> None:
        warning = isinstance(event, Noticed) and event.level == "warning"
        if type(event) in NEWS or (warning and event.message not in warned):
            if warning:
                warned.add(event.message)
            post(event)

    return tell
