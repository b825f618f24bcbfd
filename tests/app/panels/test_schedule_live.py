"""Schedule strip of a run: what is left of it changes by handles while it goes on."""

import pytest
from PySide6.QtCore import Qt

from app.panels.schedule import ASKED
from engine import recipe_of
from engine.events import Amended, AmendmentRefused, Pruned, RunPaused
from engine.recipe import parse, with_changes
from tests.strips import GRADUAL, LEFT, build, choose, drag, hold_at, press

PATIENCE = 60_000


@pytest.fixture
def panel(qtbot, workspace, bridge, runner):
    return build(qtbot, workspace, bridge, runner)


def test_others_runs_and_several_processes_cannot_be_changed(panel, workspace):
    workspace.set_state("following")
    assert "another process" in panel.text.text()
    several = with_changes(workspace.recipe, {"machine.processes": 2})
    workspace.set_recipe(several)
    workspace.set_state("running")
    assert "several processes" in panel.text.text()
    panel.strip.move(panel.figure.grips.active, 2, 50)
    panel.strip.release()
    assert workspace.recipe == several and "several" in panel.alarm.text()


@pytest.fixture
def paused(qtbot, panel, runner, workspace, bridge, seen, tmp_path, monkeypatch):
    """A run that has pruned once, and holds."""
    hold_at(monkeypatch, bridge, runner, Pruned)
    runner.start(workspace.recipe, tmp_path / "run")
    qtbot.waitUntil(
        lambda: any(isinstance(event, RunPaused) for event in seen), timeout=PATIENCE
    )
    runner.pause()
    assert len(panel.strip.course.done) == 1
    return tmp_path / "run"


def test_what_is_left_of_a_run_is_changed_by_keys_and_enter(
    qtbot, panel, paused, runner, workspace, seen
):
    strip = panel.strip
    assert strip.live and workspace.state == "paused"
    fixed = {each.name: each.fixed for each in strip.handles}
    assert fixed["first"] and not fixed["target"]
    choose(qtbot, panel, "target")
    press(qtbot, panel, (Qt.Key.Key_Up,), Qt.Key.Key_Right)
    assert "Enter changes the run" in panel.text.text()
    assert strip.levels[-1] == (6, pytest.approx(0.95))
    assert strip.levels[0][1] > strip.course.reached
    assert workspace.recipe.amendments == ()
    press(qtbot, panel, Qt.Key.Key_Return)
    assert ASKED in panel.text.text()
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        runner.go_on()
    [told] = [event for event in seen if isinstance(event, Amended)]
    changes = {"allocation.sparsity": 0.95, "schedule.end": 6}
    assert dict(told.changes) == pytest.approx(changes)
    [amendment] = workspace.recipe.amendments
    assert recipe_of(paused) == workspace.recipe
    assert amendment.at == (told.epoch, told.prunes, told.halvings)
    assert strip.course.done[-1] == (6.0, pytest.approx(0.95, abs=1e-3))
    panel.catch_up()
    assert panel.forget.isVisible() and panel.keep.isVisible()
    assert panel.note.text().endswith(f"After epoch {told.epoch}: {told.words}.")
    qtbot.mouseClick(panel.keep, LEFT)
    assert workspace.recipe.schedule.end == 6 and not workspace.recipe.amendments
    workspace.undo()
    qtbot.mouseClick(panel.forget, LEFT)
    assert workspace.recipe == parse(GRADUAL)


def test_escape_forgets_a_move_and_the_run_goes_on_as_planned(
    qtbot, panel, paused, runner, workspace
):
    choose(qtbot, panel, "epochs")
    press(qtbot, panel, Qt.Key.Key_Right, Qt.Key.Key_Escape, Qt.Key.Key_Return)
    assert not panel.strip.asked and panel.strip.recipe == workspace.recipe
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        runner.stop()
    assert workspace.recipe.amendments == ()


def test_a_refusal_is_told_and_the_plan_stays(qtbot, panel, paused, runner, send):
    drag(qtbot, panel, "epochs", 8.9, 0)
    assert panel.strip.asked and panel.strip.recipe.finetune.epochs == 9
    send(AmendmentRefused("2 epochs are done.", "Set more."))
    assert not panel.strip.asked and panel.strip.recipe.finetune.epochs == 8
    assert panel.strip.words == "2 epochs are done. Set more."
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        runner.stop()


def test_a_change_that_came_too_late_says_so(qtbot, panel, paused, runner):
    drag(qtbot, panel, "epochs", 8.9, 0)
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        runner.stop()
    assert "ended before" in panel.strip.words
