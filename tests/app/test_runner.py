"""The runner with the real engine: inspect, run, pause, stop, export."""

import hashlib
import threading

import pytest

import engine
from app.workspace import Scored
from engine import EXPORTERS
from engine.errors import InputError, Stopped
from engine.events import RunFinished, RunStopped
from engine.recipe import with_changes

PATIENCE = 30_000
NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
"""

SLOW = """
import pathlib, time

pathlib.Path({!r}).touch()
time.sleep(0.5)
"""


def kinds(events):
    return [type(event).__name__ for event in events]


def test_a_run_reaches_its_end_and_the_events_arrive(
    qtbot, runner, workspace, bridge, seen, quick, tmp_path
):
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE) as ended:
        runner.start(quick, tmp_path / "run")
        assert workspace.state == "running"
    assert isinstance(ended.args[0], RunFinished)
    assert workspace.state == "idle"
    qtbot.waitUntil(lambda: "RunFinished" in kinds(seen))
    assert kinds(seen)[0] == "RunStarted"
    assert (tmp_path / "run" / "summary.json").exists()


def test_a_run_pauses_goes_on_and_stops(
    qtbot, runner, workspace, bridge, seen, longer, tmp_path
):
    runner.start(longer, tmp_path / "run")
    qtbot.waitUntil(lambda: "Trained" in kinds(seen), timeout=PATIENCE)
    runner.pause()
    assert workspace.state == "paused"
    qtbot.waitUntil(lambda: "RunPaused" in kinds(seen), timeout=PATIENCE)
    runner.go_on()
    qtbot.waitUntil(lambda: "RunResumed" in kinds(seen), timeout=PATIENCE)
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE) as ended:
        runner.stop()
        assert workspace.state == "stopping"
    assert isinstance(ended.args[0], RunStopped)


@pytest.mark.parametrize("act", ["start", "score"])
def test_nothing_begins_before_a_prober_that_still_loads_has_ended(
    qtbot, runner, preferences, bridge, probing, quick, tmp_path, monkeypatch, act
):
    file, loading = tmp_path / "network.py", tmp_path / "loading"
    file.write_text(SLOW.format(str(loading)) + NETWORK)
    preferences.trust(hashlib.sha256(file.read_bytes()).hexdigest())
    slow = with_changes(quick, {"model.kind": "file", "model.file": str(file)})
    beside, post = [], bridge.post

    def watch(event):
        beside.append("prober" in {thread.name for thread in threading.enumerate()})
        post(event)

    monkeypatch.setattr(bridge, "post", watch)
    probing.ask(Scored(slow, engine.score(quick)), {})
    qtbot.waitUntil(loading.exists, timeout=PATIENCE)
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        if act == "start":
            runner.start(quick, tmp_path / "run")
        else:
            runner.score()
    assert beside and not any(beside)


def test_a_folder_that_is_taken_is_refused_and_untouched(
    qtbot, runner, workspace, quick, tmp_path
):
    (tmp_path / "mine.txt").write_text("x")
    with qtbot.waitSignal(runner.run_failed, timeout=PATIENCE) as told:
        runner.start(quick, tmp_path)
    assert "not empty" in told.args[0].message
    assert workspace.state == "idle"


def test_an_export_from_nowhere_is_an_error_in_words(qtbot, runner, tmp_path):
    with qtbot.waitSignal(runner.export_failed, timeout=PATIENCE) as told:
        runner.export(tmp_path, EXPORTERS[0].kind, tmp_path / "out.pth")
    assert told.args[0].hint
    assert not (tmp_path / "out.pth").exists()


def test_closing_during_a_run_ends_the_thread(
    qtbot, runner, workspace, bridge, seen, longer, tmp_path
):
    runner.start(longer, tmp_path / "run")
    qtbot.waitUntil(lambda: "RunStarted" in kinds(seen), timeout=PATIENCE)
    runner.close()
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("engine") for name in names)


def test_a_score_tells_its_progress_and_leaves_the_run_on_show(
    qtbot, runner, workspace, bridge, seen, tmp_path
):
    workspace.set_folder(tmp_path)
    cleared = []
    bridge.cleared.connect(lambda: cleared.append(1))
    found = []
    runner.scored.connect(lambda *args: found.append(args))
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        runner.score()
        assert workspace.state == "running"
    [(recipe, study)] = found
    assert recipe == workspace.recipe and "fc.weight" in study.ranking.layers
    assert workspace.state == "idle"
    told = kinds(seen)
    assert told[0] == "LookStarted" and told[-1] == "LookEnded"
    assert "PhaseStarted" in told and "ModelLoaded" not in told
    assert workspace.folder == tmp_path and not cleared
    assert list(tmp_path.glob("*.json*")) == [tmp_path / "preferences.json"]


def test_a_run_hands_over_its_first_scoring(qtbot, runner, quick, tmp_path):
    with qtbot.waitSignals([runner.scored, runner.run_ended], timeout=PATIENCE):
        runner.start(quick, tmp_path / "run")


def test_a_score_can_be_stopped_and_failures_are_told(
    qtbot, runner, workspace, bridge, seen, quick
):
    many = {"estimator.kind": "woodfisher", "estimator.samples": 1500}
    workspace.set_recipe(with_changes(quick, many))
    with (
        qtbot.assertNotEmitted(runner.scored),
        qtbot.waitSignal(runner.run_ended, timeout=PATIENCE),
    ):
        runner.score()
        qtbot.waitUntil(lambda: "Progressed" in kinds(seen), timeout=PATIENCE)
        runner.stop()
    assert workspace.state == "idle"
    workspace.set_recipe(with_changes(quick, {"allocation.exclude": ["*"]}))
    with qtbot.waitSignal(runner.run_failed, timeout=PATIENCE) as told:
        runner.score()
    assert "No layer is left" in told.args[0].message


def test_short_work_is_answered_and_its_failures_are_told(qtbot, runner, workspace):
    answers = []
    runner.ask(lambda: 7, answers.append)
    qtbot.waitUntil(lambda: answers == [7], timeout=PATIENCE)
    assert workspace.state == "idle"

    def fail(error):
        raise error

    with (
        qtbot.assertNotEmitted(runner.run_failed),
        qtbot.assertNotEmitted(runner.crashed),
    ):
        runner.ask(lambda: fail(Stopped()), answers.append)
        runner.ask(lambda: 8, answers.append)
        qtbot.waitUntil(lambda: answers == [7, 8], timeout=PATIENCE)
    for error, signal in (
        (InputError("What", "How"), runner.run_failed),
        (ZeroDivisionError(), runner.crashed),
    ):
        with qtbot.waitSignal(signal, timeout=PATIENCE) as told:
            runner.ask(lambda error=error: fail(error), answers.append)
        assert told.args == [error]
