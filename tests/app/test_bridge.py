"""The bridge: order, portions, and forgetting."""

import threading
import time

import pytest

from app.bridge import AGAIN, BUDGET, Bridge
from engine.events import Event, ModelLoaded, Noticed, Progressed, Trained
from engine.steering.events import LookEnded


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


def three_epochs(bridge, qtbot):
    """Post three events; what the panels and the others heard of them."""
    shown, heard = [], []
    bridge.on(Event, shown.extend)
    bridge.heard.connect(heard.extend)
    bridge.cleared.connect(shown.clear)
    with qtbot.waitSignal(bridge.drained):
        for epoch in range(3):
            bridge.post(Trained(epoch, 0.0, 0.0))
        bridge.post(Progressed("x", 1, 2, 0.0, 0))
    return shown, heard


def test_a_moment_is_told_again_up_to_its_event(bridge, qtbot):
    shown, heard = three_epochs(bridge, qtbot)
    with qtbot.waitSignals([bridge.looked, bridge.drained]):
        bridge.look(heard[1])
    assert bridge.moment is heard[1]
    assert [event.epoch for event in shown] == [0, 1]
    assert len(heard) == 4  # what is told again is no news
    with qtbot.waitSignal(bridge.drained):
        bridge.look(None)
    assert [event.epoch for event in shown] == [0, 1, 2]  # and no old progress


def test_a_run_goes_on_unshown_while_a_moment_is_looked_at(bridge, qtbot):
    shown, heard = three_epochs(bridge, qtbot)
    bridge.look(heard[0])
    network = ModelLoaded("net", (), 0, 0)
    with qtbot.waitSignal(bridge.drained):
        for event in (Trained(3, 0.0, 0.0), LookEnded("Done."), network):
            bridge.post(event)
    assert shown == [heard[0], LookEnded("Done."), network]
    assert heard[-3].epoch == 3
    bridge.look(None)
    bridge.post(Trained(4, 0.0, 0.0))  # comes while the past is still told
    with qtbot.waitSignal(bridge.drained):
        pass
    epochs = [event.epoch for event in shown if isinstance(event, Trained)]
    assert epochs == [0, 1, 2, 3, 4]


def test_a_long_past_is_told_in_portions(bridge, qtbot):
    portions = []
    for epoch in range(3 * AGAIN):
        bridge.post(Trained(epoch, 0.0, 0.0))
    with qtbot.waitSignal(bridge.drained):
        pass
    newest = bridge._told[-1]
    bridge.on(Event, lambda events: portions.append(len(events)))
    with qtbot.waitSignal(bridge.drained):
        bridge.look(newest)
    assert portions == [AGAIN] * 3


def test_another_run_ends_the_look(bridge, qtbot):
    _, heard = three_epochs(bridge, qtbot)
    bridge.look(heard[0])
    with qtbot.waitSignals([bridge.begun, bridge.cleared, bridge.looked]):
        bridge.clear()
    assert bridge.moment is None and not bridge._told
