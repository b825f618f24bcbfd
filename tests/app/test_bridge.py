"""The bridge: order, portions, and forgetting."""

import threading
import time

import pytest

from app.bridge import BUDGET, Bridge
from engine.events import Event, Noticed, Progressed, Trained


@pytest.fixture
def bridge(qapp):
    return Bridge()


def test_events_of_a_type_arrive_together_and_in_order(bridge, qtbot):
    batches = []
    bridge.on(Trained, batches.append)
    for epoch in range(100):
        bridge.post(Trained(epoch, 0.0, 0.0))
    with qtbot.waitSignal(bridge.drained):
        pass
    assert [e.epoch for batch in batches for e in batch] == list(range(100))
    assert len(batches) < 10


def test_only_the_newest_progress_counts(bridge, qtbot):
    seen = []
    bridge.on(Progressed, seen.extend)
    for done in range(50):
        bridge.post(Progressed("x", done, 50, 0.0, 0))
    with qtbot.waitSignal(bridge.drained):
        pass
    assert seen[-1].done == 49
    assert len(seen) < 10


def test_every_event_in_order_of_posting(bridge, qtbot):
    seen = []
    bridge.on(Event, seen.extend)
    sent = [Noticed("info", "a"), Trained(0, 0, 0), Noticed("info", "b")]
    for event in sent:
        bridge.post(event)
    with qtbot.waitSignal(bridge.drained):
        pass
    assert seen == sent


def test_clearing_forgets_undelivered_mail(bridge, qtbot):
    seen = []
    bridge.on(Noticed, seen.extend)
    bridge.post(Noticed("info", "old"))
    with qtbot.waitSignal(bridge.cleared):
        bridge.clear()
    bridge.post(Noticed("info", "new"))
    with qtbot.waitSignal(bridge.drained):
        pass
    assert [e.message for e in seen] == ["new"]


def test_a_flood_is_unpacked_in_small_portions(bridge, qtbot):
    """Many threads post at once; no look into the mailbox takes much of a frame."""
    events = [Trained(i, 0.0, 0.0) for i in range(20_000)]
    threads = [
        threading.Thread(target=lambda: [bridge.post(e) for e in events])
        for _ in range(3)
    ]
    count, looks = [], []
    bridge.on(Trained, lambda batch: count.append(len(batch)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 20
    while sum(count) < 60_000 and time.monotonic() < deadline:
        began = time.perf_counter()
        bridge._drain()
        looks.append(time.perf_counter() - began)
    assert sum(count) == 60_000
    assert sorted(looks)[len(looks) // 2] < 5 * BUDGET
