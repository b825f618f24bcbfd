"""The window beside a run that somebody else is writing."""

import pytest

from engine.events import Event, PhaseStarted, Pruned, RunFinished, RunStarted
from engine.recipe import Recipe
from engine.records.store import Store

PATIENCE = 20_000


@pytest.fixture
def writer(tmp_path):
    store = Store.create(tmp_path / "elsewhere", Recipe())
    store.record(RunStarted("elsewhere", "cpu", 0))
    yield store
    store.close()


@pytest.fixture
def seen(window):
    events = []
    window.bridge.on(Event, events.extend)
    return events


def attach(qtbot, window, writer):
    window.files.open(writer.folder)
    qtbot.waitUntil(lambda: window.workspace.state == "following", timeout=PATIENCE)


def test_a_run_that_goes_on_is_followed_to_its_end(qtbot, window, writer, seen):
    attach(qtbot, window, writer)
    actions = window.actions_
    for action in (actions.start, actions.pause, actions.stop, actions.resume):
        assert not action.isEnabled()
    assert actions.open_run.isEnabled()
    assert "following" in window.windowTitle()
    prune = Pruned(1, 1, 0.0, 0.9, 0.8, 90, (), final=True)
    writer.record(prune)
    qtbot.waitUntil(lambda: prune in seen, timeout=PATIENCE)
    with qtbot.waitSignal(window.history.opened, timeout=PATIENCE) as opened:
        writer.record(RunFinished(0.9, 99.0, 98.0))
    assert opened.args == [writer.folder, RunFinished(0.9, 99.0, 98.0)]
    assert window.workspace.state == "idle"
    assert not actions.resume.isEnabled()


def test_a_run_whose_writer_is_gone_can_be_resumed(qtbot, window, writer):
    attach(qtbot, window, writer)
    with qtbot.waitSignal(window.history.opened, timeout=PATIENCE):
        writer.close()
    assert window.workspace.state == "idle"
    assert window.actions_.resume.isEnabled()


def test_opening_something_else_leaves_the_run_alone(qtbot, window, writer, seen):
    attach(qtbot, window, writer)
    recipe = writer.folder / "recipe.json"
    window.files.open(recipe)
    assert window.workspace.state == "idle"
    writer.record(PhaseStarted("finetune"))
    qtbot.wait(600)
    assert PhaseStarted("finetune") not in seen


def test_closing_the_window_asks_nothing(qtbot, window, writer):
    attach(qtbot, window, writer)
    assert window.close()
