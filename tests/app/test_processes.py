"""Runs in two processes, started and followed by the window's runner."""

import json

import pytest

from app.processes import _first_words
from engine.events import Event, RunFinished, RunStopped
from engine.recipe import with_changes

PATIENCE = 240_000
TWO = {"machine.processes": 2}


@pytest.fixture
def seen(bridge):
    events = []
    bridge.on(Event, events.extend)
    return events


def kinds(events):
    return [type(event).__name__ for event in events]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_in_two_processes_is_followed_to_its_end(
    qtbot, runner, workspace, seen, quick, tmp_path
):
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE) as ended:
        runner.start(with_changes(quick, TWO), tmp_path / "run")
        assert workspace.state == "running"
    assert isinstance(ended.args[0], RunFinished) and workspace.state == "idle"
    assert kinds(seen)[0] == "RunStarted" and kinds(seen)[-1] == "RunFinished"
    assert "2 processes" in seen[0].device
    assert (tmp_path / "run" / "summary.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_such_a_run_stops_and_resumes(qtbot, runner, workspace, seen, longer, tmp_path):
    workspace.set_recipe(with_changes(longer, TWO))
    runner.start(workspace.recipe, tmp_path / "run")
    qtbot.waitUntil(lambda: "EpochFinished" in kinds(seen), timeout=PATIENCE)
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE) as ended:
        runner.stop()
        assert workspace.state == "stopping"
    assert isinstance(ended.args[0], RunStopped)
    seen.clear()
    runner.resume(tmp_path / "run")
    qtbot.waitUntil(lambda: "EpochFinished" in kinds(seen), timeout=PATIENCE)
    assert kinds(seen)[0] == "RunStarted" and seen[0].resumed
    runner.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_keeps_it_from_beginning_is_said(
    qtbot, runner, workspace, quick, tmp_path
):
    changes = TWO | {"model.checkpoint": str(tmp_path / "lost.pth")}
    with qtbot.waitSignal(runner.run_failed, timeout=PATIENCE) as told:
        runner.start(with_changes(quick, changes), tmp_path / "run")
    assert "lost.pth" in told.args[0].message and told.args[0].hint
    assert workspace.state == "idle" and workspace.folder is None


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_branch_in_two_processes_goes_on_from_its_node(
    qtbot, runner, workspace, seen, quick, tmp_path
):
    recipe = with_changes(quick, TWO | {"schedule.recomputations": 2})
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        runner.start(recipe, tmp_path / "run")
    seen.clear()
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE) as ended:
        runner.branch(tmp_path / "run", 1, recipe, tmp_path / "branch")
    assert isinstance(ended.args[0], RunFinished)
    assert kinds(seen).count("RunStarted") == 2 and "Branched" in kinds(seen)
    told = (json.loads((tmp_path / name / "summary.json").read_text())
            for name in ("run", "branch"))  # fmt: skip
    assert len({each["mask_sha256"] for each in told}) == 1


def test_several_processes_cannot_pause_and_say_so(window):
    changed = with_changes(window.workspace.recipe, TWO)
    window.workspace.set_recipe(changed)
    window.workspace.set_state("running")
    assert not window.actions_.pause.isEnabled()
    assert "Several processes" in window.actions_.pause.toolTip()
    assert window.actions_.stop.isEnabled()
    window.workspace.set_state("idle")


def test_a_runs_words_are_told_from_torchruns():
    said = "W1121 00:48:30 warning\nWhat happened.\nWhat to do.\nTraceback (most"
    error = _first_words(said)
    assert (error.message, error.hint) == ("What happened.", "What to do.")
    assert "could not be started" in _first_words("Traceback (most\n").message
