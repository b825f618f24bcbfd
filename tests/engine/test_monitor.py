"""Progress, pause, stop and phases."""

import threading
import time

import pytest

from engine.errors import Stopped
from engine.events import (
    Noticed,
    PhaseFinished,
    PhaseStarted,
    Progressed,
    RunPaused,
    RunResumed,
)
from engine.monitor import Control, Monitor


def test_track_yields_everything_and_reports_the_end():
    events = []
    monitor = Monitor(events.append)
    assert list(monitor.track([3, 1, 2], "Counting")) == [3, 1, 2]
    assert isinstance(events[-1], Progressed)
    assert (events[-1].label, events[-1].done, events[-1].total) == ("Counting", 3, 3)


def test_a_busy_loop_reports_a_few_times_not_each_time():
    events = []
    list(Monitor(events.append).track(range(10_000), "Fast"))
    assert len(events) < 20


def test_stop_ends_a_tracked_loop_at_the_next_item():
    control = Control()
    seen = []
    with pytest.raises(Stopped):
        for item in Monitor(control=control).track(range(5), "Loop"):
            seen.append(item)
            if item == 2:
                control.stop()
    assert seen == [0, 1, 2]


def test_pause_holds_until_resumed_and_is_not_counted_as_work():
    events, control = [], Control()
    monitor = Monitor(events.append, control)
    control.pause()
    threading.Timer(0.2, control.resume).start()
    began = time.monotonic()
    monitor.check()
    assert time.monotonic() - began >= 0.19
    assert monitor.now() < 0.1
    assert [type(e) for e in events] == [RunPaused, RunResumed]


def test_stop_works_while_paused():
    control = Control()
    control.pause()
    threading.Timer(0.05, control.stop).start()
    with pytest.raises(Stopped):
        Monitor(control=control).check()


def test_phases_add_up_and_notices_are_kept():
    events = []
    monitor = Monitor(events.append)
    for _ in range(2):
        with monitor.phase("gradients"):
            time.sleep(0.01)
    monitor.notice("Raised damping.", "Look at layer x.")
    assert monitor.timings["gradients"] >= 0.02
    assert monitor.notices == ["Raised damping."]
    kinds = [type(e) for e in events]
    assert kinds == [PhaseStarted, PhaseFinished] * 2 + [Noticed]
    monitor.notice(Noticed("info", "Rounded.", "Fine."))
    told = events[-1]
    assert (told.level, told.message, told.hint) == ("info", "Rounded.", "Fine.")
    assert monitor.notices[-1] == "Rounded."


def test_events_carry_the_clock_and_go_on_after_a_resume():
    events = []
    monitor = Monitor(events.append)
    monitor.go_on_from(100.0)
    monitor.notice("Later.")
    assert events[0].time >= 100.0
