"""Control (pause, resume, stop) and Monitor, through which a run speaks and listens."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from engine.errors import Stopped
from engine.events import (
    Event,
    Noticed,
    PhaseFinished,
    PhaseStarted,
    Progressed,
    RunPaused,
    RunResumed,
)

T = TypeVar("T")
Outcome = tuple[Exception | None, list[Noticed]]  # of one process's share of work
PROGRESS_INTERVAL = 0.1  # seconds between two progress events


class Control:
    """The buttons of a run, safe to press from any thread."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._go.set()
        self._stop = threading.Event()
        self._wishes: deque[dict[str, float]] = deque()

    def pause(self) -> None:
        """Hold the run at its next check."""
        self._go.clear()

    def resume(self) -> None:
        """Let a paused run go on."""
        self._go.set()

    def stop(self) -> None:
        """End the run in good order, paused or not."""
        self._stop.set()
        self._go.set()

    def amend(self, changes: Mapping[str, float]) -> None:
        """Change the recipe of the run, by dotted keys, before its next step."""
        self._wishes.append(dict(changes))

    def wish(self) -> dict[str, float] | None:
        """The oldest change that was asked for and not taken; None when there is none.

        With several processes, the first one's.
        """
        return self._wishes.popleft() if self._wishes else None

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    @property
    def paused(self) -> bool:
        """Whether the run is held."""
        return not self._go.is_set()

    def wait(self) -> None:
        """Block while paused."""
        self._go.wait()

    def sync(self) -> None:
        """Hear of the other processes' buttons, when a run has several."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, this process is not in step with the others of its run."""
        yield

    def gather(self, outcome: Outcome) -> list[Outcome]:
        """The outcomes of all processes of the run."""
        return [outcome]


class Monitor:
    """One run's voice and ear: emits events, keeps time, honours pause and stop.

    Args:
        emit: Receives every event on the engine's thread; must not block.
        control: The buttons; a fresh one never stops.
        memory: Gives the bytes in use now, for progress events.
        watch: Receives what is too large for events, the `Study` of a first scoring,
            on the engine's thread; None when nobody looks.
    """

    def __init__(
        self,
        emit: Callable[[Event], None] = lambda event: None,
        control: Control | None = None,
        memory: Callable[[], int] = lambda: 0,
        watch: Callable[[Any], None] | None = None,
    ) -> None:
        self._emit = emit
        self.memory, self.watch = memory, watch
        self.control = control or Control()
        self.timings: dict[str, float] = {}
        self.notices: list[str] = []
        self.noticed: list[Noticed] = []
        self._started = time.monotonic()
        self._held = 0.0

    def emit(self, event: Event) -> Event:
        """Send an event, stamped with the run's clock; returns it so."""
        stamped = replace(event, time=round(self.now(), 3))
        self._emit(stamped)
        return stamped

    def go_on_from(self, seconds: float) -> None:
        """Count on from the seconds an earlier part of the run took."""
        self._started -= seconds

    def notice(
        self, message: str | Noticed, hint: str = "", level: str = "warning"
    ) -> None:
        """Tell the person, and the summary, what was decided on their behalf.

        A notice that was made elsewhere keeps its own hint and level.
        """
        made = isinstance(message, Noticed)
        told = message if made else Noticed(level, message, hint)
        self.notices.append(told.message)
        self.noticed.append(told)
        self.emit(told)

    def now(self) -> float:
        """Seconds of work since the run began, pauses left out."""
        return time.monotonic() - self._started - self._held

    def check(self) -> None:
        """Wait while paused.

        Raises:
            Stopped: A stop was asked for.
        """
        self.control.sync()
        if self.control.paused and not self.control.stopping:
            self.emit(RunPaused())
            since = time.monotonic()
            self.control.wait()
            self._held += time.monotonic() - since
            if not self.control.stopping:
                self.emit(RunResumed())
        if self.control.stopping:
            raise Stopped

    def progress(self, label: str, total: int) -> "Progress":
        """Count work as it is done, in whatever units; tells of none done yet."""
        return Progress(self, label, total)

    def track(
        self, items: Iterable[T], label: str, total: int | None = None
    ) -> Iterator[T]:
        """Yield the items, reporting progress and checking before each one."""
        total = len(items) if total is None else total  # type: ignore[arg-type]
        progress = self.progress(label, total)
        for item in items:
            yield item
            progress.advance()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Name what happens now and add its seconds to `timings[name]`."""
        self.check()
        self.emit(PhaseStarted(name))
        began = self.now()
        try:
            yield
        finally:
            seconds = self.now() - began
            self.timings[name] = self.timings.get(name, 0.0) + seconds
        self.emit(PhaseFinished(name, round(seconds, 3)))

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Each process of a run does its own share; then all go on, or none does.

        A failure or stop of one is raised in all, and what one noticed, all notice.
        Outside, the processes must make the same checks in the same order.
        """
        failure, first = None, len(self.noticed)
        with self.control.alone():
            try:
                yield
            except Exception as error:
                failure = error
        own = self.noticed[first:]
        outcomes = self.control.gather((failure, own))
        for told in dict.fromkeys(n for _, theirs in outcomes for n in theirs):
            if told not in own:
                self.notice(told)
        failures = [error for error, _ in outcomes if error is not None]
        if failures:
            worst = min(failures, key=lambda error: isinstance(error, Stopped))
            alike = failure is not None and type(failure) is type(worst)
            raise failure if alike else worst


class Progress:
    """Part of a phase that says how far it is; checks the buttons as it goes.

    Args:
        monitor: To check and to tell.
        label: What is done.
        total: Of the units that `advance` counts.

    Raises:
        Stopped: A stop was asked for.
    """

    def __init__(self, monitor: Monitor, label: str, total: int) -> None:
        self._monitor, self._label, self._total = monitor, label, total
        self._done = 0
        monitor.check()
        self._began = monitor.now()
        self._tell(-1.0)

    def advance(self, amount: int = 1) -> None:
        """Count so much as done.

        Raises:
            Stopped: A stop was asked for.
        """
        self._done += amount
        if self._done >= self._total:
            self._tell(0.0)
            return
        self._monitor.check()
        now = self._monitor.now()
        if now - self._spoke >= PROGRESS_INTERVAL:
            each = (now - self._began) / self._done
            self._tell(each * (self._total - self._done))

    def _tell(self, left: float) -> None:
        self._spoke = self._monitor.now()
        counted = (self._label, self._done, self._total)
        self._monitor.emit(Progressed(*counted, round(left, 1), self._monitor.memory()))
