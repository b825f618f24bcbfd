"""The profile: drawn by mouse and keys, fitted to targets by the real engine."""

import csv

import pytest
from PySide6.QtCore import QPoint, Qt

import engine
from app.panels.profile import ProfilePanel
from app.plots.empty import EmptyState
from app.steering.profile.budgeting import Budgeting
from app.steering.steering import Steering
from engine.recipe import parse, with_changes
from engine.steering.overrides import overridden

PATIENCE = 60_000
LEFT = Qt.MouseButton.LeftButton
QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)
GOALS = ("weights", "macs", "bytes", "milliseconds", "accuracy")


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


@pytest.fixture
def panel(qtbot, workspace, bridge, runner, inspector, study):
    inspector.take_as_seen(QUICK)  # else it clears the mailbox in between
    workspace.set_recipe(QUICK)
    steering = Steering(workspace, bridge)
    panel = ProfilePanel(
        workspace, steering, Budgeting(workspace, bridge, runner, steering)
    )
    qtbot.addWidget(panel)
    panel.resize(620, 560)
    panel.show()
    qtbot.waitExposed(panel)
    assert "Press Score" in panel.findChild(EmptyState).text
    workspace.set_scored(QUICK, study)
    return panel


def shown(panel):
    return {bar.name: bar.sparsity for bar in panel.model.bars}


def choose(panel, goal):
    place = GOALS.index(goal)
    panel.target.goals.setCurrentIndex(place)
    panel.target.goals.activated.emit(place)


def press(qtbot, panel, button):
    """Press a button that begins a look and wait for its end."""
    qtbot.mouseClick(button, LEFT)
    budgeting = panel._budgeting
    assert budgeting.working and panel.target.stop.isEnabled()
    qtbot.waitUntil(lambda: not budgeting.working, timeout=PATIENCE)


def at(panel, name, share):
    track = panel.bars.place(name)
    return QPoint(track.left() + round(share * track.width()), track.center().y())


def test_a_bar_is_dragged_and_the_others_stay(qtbot, panel, workspace):
    before = shown(panel)
    viewport = panel.bars.viewport()
    name = "layer2.0.conv1.weight"
    qtbot.mousePress(viewport, LEFT, pos=at(panel, name, 0.6))
    qtbot.mouseMove(viewport, at(panel, name, 0.4))
    assert workspace.recipe == QUICK and workspace.layer == name
    assert shown(panel)[name] == pytest.approx(0.4, abs=0.01)
    qtbot.mouseRelease(viewport, LEFT, pos=at(panel, name, 0.4))
    after = shown(panel)
    assert after.pop(name) == pytest.approx(0.4, abs=0.01)
    before.pop(name)
    assert after == pytest.approx(before)
    allocation = workspace.recipe.allocation
    assert all(overridden(allocation, each) is not None for each in before)
    workspace.undo()
    assert workspace.recipe == QUICK


def test_keys_move_lock_and_give_up(qtbot, panel, workspace):
    bars = panel.bars
    bars.choose("fc.weight")
    bars.setFocus()
    first = shown(panel)["fc.weight"]
    size = panel._steering.size("fc.weight")
    qtbot.keyClick(bars, Qt.Key.Key_Right)
    qtbot.keyClick(bars, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    moved = shown(panel)["fc.weight"]
    assert moved == pytest.approx(first + 0.06, abs=2 / size)
    qtbot.keyClick(bars, Qt.Key.Key_L)
    assert panel.lock.isChecked() and bars.current.locked
    qtbot.keyClick(bars, Qt.Key.Key_Left)
    assert shown(panel)["fc.weight"] == moved
    qtbot.mouseClick(panel.lock, LEFT)
    assert not bars.current.locked
    qtbot.keyClick(bars, Qt.Key.Key_Up)
    assert workspace.layer == "layer3.0.downsample.0.weight"
    workspace.undo()
    assert workspace.recipe == QUICK
    qtbot.mousePress(bars.viewport(), LEFT, pos=at(panel, "fc.weight", 0.5))
    qtbot.keyClick(bars, Qt.Key.Key_Escape)
    assert shown(panel)["fc.weight"] == first and workspace.recipe == QUICK


def test_the_cheapest_is_one_undoable_change(qtbot, panel, workspace):
    choose(panel, "macs")
    panel.target.field.setValue(30)
    press(qtbot, panel, panel.target.solve)
    recipe = workspace.recipe
    macs, whole = panel._steering.forecast.macs, panel._steering.dense[0]
    assert 0.295 * whole < macs <= 0.3 * whole
    assert "MACs left" in panel.told.text() and "(30.0 %)" in panel.told.text()
    workspace.undo()
    assert workspace.recipe == QUICK and panel.told.text() == ""
    workspace.redo()
    assert workspace.recipe == recipe
    qtbot.mouseClick(panel.clear, LEFT)
    assert overridden(workspace.recipe.allocation, "fc.weight") is None


def test_a_drawn_profile_is_fitted_around_a_locked_layer(qtbot, panel, workspace):
    for name, share in (("fc.weight", 0.2), ("conv1.weight", 0.5)):
        panel._steering.draw(name, share)
        panel._steering.release()
    panel.bars.choose("fc.weight")
    qtbot.mouseClick(panel.lock, LEFT)
    drawn = shown(panel)
    choose(panel, "weights")
    panel.target.field.setValue(5)
    press(qtbot, panel, panel.target.fit)
    fitted = shown(panel)
    assert panel._steering.forecast.sparsity == pytest.approx(0.95, abs=1e-3)
    assert fitted["fc.weight"] == drawn["fc.weight"]
    assert all(fitted[name] >= drawn[name] - 1e-9 for name in drawn)
    marked = {bar.name for bar in panel.model.bars if bar.drawn is not None}
    assert "layer3.0.conv1.weight" in marked and "fc.weight" not in marked
    panel.target.field.setValue(50)
    press(qtbot, panel, panel.target.fit)
    assert "already has" in panel.told.text() and shown(panel) == fitted


def test_size_and_floors(qtbot, panel, workspace):
    bounded = with_changes(QUICK, {"allocation.floor": {"conv1": 0.5}})
    workspace.set_recipe(bounded)
    panel._steering.draw("conv1.weight", 0.1)
    assert shown(panel)["conv1.weight"] == 0.5
    panel._steering.drop()
    assert panel.model.bars[0].low == 0.5
    choose(panel, "bytes")
    assert panel.target.field.value() > 0
    panel.target.field.setValue(60)
    press(qtbot, panel, panel.target.solve)
    assert panel._steering.forecast.bytes <= 60_000
    assert shown(panel)["conv1.weight"] >= 0.5


def test_amounts_are_kept_for_each_goal(panel):
    target = panel.target
    target.field.setValue(33)
    choose(panel, "macs")
    assert target.field.value() == 20 and "of 763" in target.means.text()
    choose(panel, "weights")
    assert target.field.value() == 33
    choose(panel, "bytes")
    assert target.field.value() == pytest.approx(0.2 * 311.4, abs=0.5)
    assert target.means.text() == "of 311 kB"


def test_accuracy_of_one_class_is_bound(qtbot, panel, workspace):
    choose(panel, "accuracy")
    classes = panel.target.classes
    assert classes.isVisible() and classes.count() == 11
    classes.setCurrentIndex(4)
    panel.target.field.setValue(10)
    press(qtbot, panel, panel.target.solve)
    assert "of class 3 lost" in panel.told.text()
    assert "masks alone" in panel.told.text()
    assert workspace.recipe != QUICK


def test_time_is_measured_before_it_is_bound(qtbot, panel):
    choose(panel, "milliseconds")
    assert panel.target.time.isVisible() and not panel.target.solve.isEnabled()
    assert panel.target.means.text() == "not timed yet"
    press(qtbot, panel, panel.target.time)
    assert panel._budgeting.times is not None and not panel.target.time.isVisible()
    assert " ms of " in panel.summary.text().replace("\N{NO-BREAK SPACE}", " ")
    panel.target.field.setValue(1e5)
    press(qtbot, panel, panel.target.solve)
    assert set(shown(panel).values()) == {0.0}  # it is met by nothing at all


def test_a_fit_can_be_stopped(qtbot, panel, workspace):
    choose(panel, "accuracy")
    qtbot.mouseClick(panel.target.solve, LEFT)
    qtbot.mouseClick(panel.target.stop, LEFT)
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=PATIENCE)
    assert workspace.recipe == QUICK and panel.told.text() == ""


def test_what_cannot_be_met_changes_nothing(qtbot, panel, workspace, runner):
    capped = with_changes(
        QUICK, {"allocation.ceiling": {"*": 0.3}, "allocation.sparsity": 0.2}
    )
    workspace.set_recipe(capped)
    with qtbot.waitSignal(runner.run_failed, timeout=PATIENCE) as failed:
        qtbot.mouseClick(panel.target.solve, LEFT)
    assert "at least 70.0 %" in failed.args[0].message
    assert workspace.recipe == capped


def test_bars_are_saved_whole(panel, tmp_path):
    panel.resize(620, 300)
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text()
    assert all(f">{name}<" in drawn for name in ("conv1", "fc", "layer2.0.conv2"))
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["layer"] for row in rows] == [bar.name for bar in panel.model.bars]
    assert float(rows[0]["sparsity"]) == panel.model.bars[0].sparsity


def test_nothing_moves_during_a_run(qtbot, panel, workspace):
    workspace.set_state("running")
    assert not panel.target.solve.isEnabled() and "no run" in panel.told.text()
    panel.bars.choose("fc.weight")
    before = shown(panel)
    qtbot.keyClick(panel.bars, Qt.Key.Key_Right)
    assert shown(panel) == before
