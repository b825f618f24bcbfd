"""Damping panel: a look on the engine's thread, a line that is dragged, and advice."""

import csv
import gc

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from app.panels.damping import DampingPanel
from app.plots.empty import EmptyState
from app.steering.damping.steering import DampingSteering
from engine.looking.damping import Reference, suggested
from engine.looking.settling import settling, suggested_samples
from engine.recipe import parse, with_changes

LEFT = Qt.MouseButton.LeftButton
PATIENCE = 60_000
QUICK = parse(
    {
        "estimator": {
            "kind": "woodfisher", "samples": 30, "block_size": 500, "damping": 1e-3,
        },
        "allocation": {"exclude": ["layer3.*"]},
        "machine": {"device": "cpu", "threads": 1},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def study():
    return engine.study_damping(QUICK)


@pytest.fixture
def fresh(show, workspace, runner):
    gc.collect()  # the last test's widgets, before the engine's thread may find them
    workspace.set_recipe(QUICK)
    return show(lambda w, b: DampingPanel(w, DampingSteering(w, runner)))


@pytest.fixture
def panel(qtbot, fresh, study):
    fresh.resize(640, 620)
    fresh.steering.take(QUICK, study)
    qtbot.waitUntil(lambda: fresh.steering.complete, timeout=PATIENCE)
    return fresh


def settle(qtbot, panel):
    qtbot.waitUntil(lambda: panel.steering.complete, timeout=PATIENCE)


def test_a_look_is_taken_behind_the_window(qtbot, fresh, workspace, runner, study):
    stack = fresh.findChild(EmptyState)
    assert stack.is_empty and "Press Look" in stack.text
    assert not fresh.field.isEnabled() and not fresh._save.isEnabled()
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        qtbot.mouseClick(fresh.look, LEFT)
        assert fresh.look.text() == "Stop" and workspace.state == "running"
    settle(qtbot, fresh)
    assert fresh.look.text() == "Look" and not stack.is_empty
    np.testing.assert_allclose(fresh.steering.study.scores(1.0), study.scores(1.0))
    assert "30 gradients" in fresh.note.text() and workspace.recipe == QUICK


def test_a_look_can_be_stopped(qtbot, fresh, workspace, runner):
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        qtbot.mouseClick(fresh.look, LEFT)
        qtbot.mouseClick(fresh.look, LEFT)
    assert fresh.steering.study is None and fresh.look.text() == "Look"
    assert fresh.findChild(EmptyState).is_empty and workspace.state == "idle"


def test_curves_are_the_points_of_the_study(panel, study):
    reference = Reference(study, 1e-3, QUICK.allocation)
    x, y = panel.figure.curves["left_out"].getData()
    np.testing.assert_allclose(x, np.log10(study.grid))
    assert 10 ** y[7] == pytest.approx(reference.at(float(study.grid[7])).left_out)
    _, y = panel.figure.curves["overlap"].getData()
    assert y[3] == pytest.approx(100 * reference.at(float(study.grid[3])).overlap)
    mark = panel.figure.marks["predicted"].getData()
    assert 10 ** mark[1][0] == pytest.approx(reference.at(1e-3).predicted)
    assert panel.figure.lines[0].value() == pytest.approx(-3)


def place(panel, log10):
    figure = panel.figure
    view = figure._lower.getViewBox()
    scene = view.mapViewToScene(QPointF(log10, sum(view.viewRange()[1]) / 2))
    return figure._canvas.mapFromScene(scene)


def pull(qtbot, panel, end):
    """Take the line by the mouse and move it, still holding."""
    canvas = panel.figure._canvas.viewport()
    begin = panel.figure.lines[1].value()
    panel.grab()
    qtbot.mouseMove(canvas, place(panel, begin))
    qtbot.mousePress(canvas, LEFT, pos=place(panel, begin))
    for share in (0.2, 0.5, 0.8, 1.0):
        qtbot.mouseMove(canvas, place(panel, begin + share * (end - begin)))
        qtbot.wait(10)


def test_a_drag_shows_what_it_does_and_its_release_can_be_undone(
    qtbot, panel, workspace
):
    pull(qtbot, panel, -1)
    steering = panel.steering
    assert workspace.recipe == QUICK and panel.figure.held
    assert steering.shown.damping == pytest.approx(0.1, rel=0.2)
    assert panel.figure.lines[0].value() == panel.figure.lines[1].value()
    assert "recipe's" in panel.words.text()
    qtbot.mouseRelease(panel.figure._canvas.viewport(), LEFT, pos=place(panel, -1))
    moved = workspace.recipe.estimator.damping
    assert moved == pytest.approx(0.1, rel=0.2)
    assert with_changes(workspace.recipe, {"estimator.damping": 1e-3}) == QUICK
    settle(qtbot, panel)
    assert steering.now.ranks == pytest.approx(1) and steering.now.damping == moved
    workspace.undo()
    settle(qtbot, panel)
    assert workspace.recipe == QUICK and workspace.can_redo
    assert panel.figure.lines[1].value() == pytest.approx(-3)


def test_escape_lets_go_of_the_line(qtbot, panel, workspace):
    pull(qtbot, panel, -1)
    qtbot.keyClick(panel.figure, Qt.Key.Key_Escape)
    assert panel.steering.shown == panel.steering.now
    qtbot.mouseRelease(panel.figure._canvas.viewport(), LEFT, pos=place(panel, -1))
    assert workspace.recipe == QUICK
    assert panel.figure.lines[1].value() == pytest.approx(-3)


def test_keys_move_the_damping(qtbot, panel, workspace):
    panel.figure.setFocus()
    qtbot.keyClick(panel.figure, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(panel.figure, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(panel.figure, Qt.Key.Key_Left)
    found = workspace.recipe.estimator.damping
    assert found == pytest.approx(1e-3 * 10**0.95, rel=0.01)
    workspace.undo()  # keys in a row are one change
    assert workspace.recipe == QUICK


def test_a_number_moves_the_damping(qtbot, panel, workspace):
    panel.field.setFocus()
    panel.field.selectAll()
    qtbot.keyClicks(panel.field, "2e-2")
    assert panel.steering.shown.damping == 0.02 and workspace.recipe == QUICK
    qtbot.keyClick(panel.field, Qt.Key.Key_Return)
    assert workspace.recipe.estimator.damping == 0.02
    workspace.undo()
    assert panel.field.read() == 1e-3  # though the keys still go there
    workspace.redo()
    panel.field.selectAll()
    qtbot.keyClicks(panel.field, "nonsense")
    qtbot.keyClick(panel.field, Qt.Key.Key_Return)
    assert workspace.recipe.estimator.damping == 0.02
    panel.field.selectAll()
    qtbot.keyClicks(panel.field, "1e9")  # above the setting's bound
    qtbot.keyClick(panel.field, Qt.Key.Key_Return)
    assert workspace.recipe.estimator.damping == 0.02


def _plain(words):
    return words.replace("\N{NO-BREAK SPACE}", " ")


def test_suggestions_are_said_and_taken(qtbot, panel, workspace, study):
    reference = Reference(study, 1e-3, QUICK.allocation)
    points = [reference.at(float(each)) for each in study.grid]
    advice = suggested(points, reference.at(1e-3), "sum")
    assert _plain(advice.reason) in _plain(panel.advice.text())
    assert panel.use.isVisible() == (advice.value != 1e-3)
    samples = suggested_samples(study, settling(study, QUICK.allocation))
    assert _plain(samples.reason) in _plain(panel.advice_samples.text())
    assert samples.value != 30
    qtbot.mouseClick(panel.use_samples, LEFT)
    assert workspace.recipe.estimator.samples == samples.value
    assert not panel.use_samples.isVisible()
    assert "Press Look again" in panel.note.text()
    workspace.undo()
    assert "again" not in panel.note.text()


def test_the_suggested_damping_is_one_change(qtbot, panel, workspace):
    high = with_changes(QUICK, {"estimator.damping": 100.0})
    workspace.set_recipe(high)
    settle(qtbot, panel)
    value = panel.steering.advice.value
    assert value < 100
    qtbot.mouseClick(panel.use, LEFT)
    assert workspace.recipe.estimator.damping == value
    workspace.undo()
    assert workspace.recipe == high


def test_joint_compensation_gets_no_damping_suggested(qtbot, panel, workspace, study):
    joint = with_changes(QUICK, {"estimator.compensation": "joint"})
    workspace.set_recipe(joint)
    panel.steering.take(joint, study)
    settle(qtbot, panel)
    assert "joint compensation" in panel.advice.text() and not panel.use.isVisible()


def test_layers_are_linked_and_the_target_is_followed(qtbot, panel, workspace, study):
    names = panel.view.layers.names
    assert names == [each.name for each in study.sample.layers]
    workspace.select_layer(names[2])
    assert panel.view.currentIndex().row() == 2
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)
    assert workspace.layer == names[1]
    right = settling(study, QUICK.allocation)
    assert panel.view.layers.rows()[1][1] == pytest.approx(right.layers[1].mean)
    before = panel.steering.now.predicted
    workspace.set_recipe(with_changes(QUICK, {"allocation.sparsity": 0.3}))
    settle(qtbot, panel)
    assert panel.steering.now.predicted < before


def test_a_floor_above_a_ceiling_is_told(qtbot, panel, workspace):
    changes = {"allocation.floor": {"fc": 0.9}, "allocation.ceiling": {"fc": 0.1}}
    workspace.set_recipe(with_changes(QUICK, changes))
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "above its ceiling" in stack.text
    workspace.undo()
    settle(qtbot, panel)
    assert not stack.is_empty


def test_a_method_without_damping_says_which_have_it(panel, workspace):
    workspace.set_recipe(with_changes(QUICK, {"estimator.kind": "magnitude"}))
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "WoodFisher and M-FAC" in stack.text
    assert not panel.look.isEnabled()
    workspace.set_recipe(with_changes(QUICK, {"model.kind": "resnet_cifar"}))
    assert stack.is_empty and "Press Look" in stack.text


def test_curves_and_layers_are_saved(panel, study, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert (tmp_path / "a.svg").read_text().count("<polyline") >= 4
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == len(study.grid) + 1 and rows[-1]["is_recipe"] == "1"
    assert float(rows[4]["damping"]) == pytest.approx(study.grid[4])
    panel.view.save(tmp_path / "b.csv")
    rows = list(csv.DictReader((tmp_path / "b.csv").read_text().splitlines()))
    assert len(rows) == len(study.sample.layers) and "overlap_by_15" in rows[0]


def test_a_hidden_view_reckons_when_it_is_shown_again(qtbot, panel, workspace):
    panel.hide()
    workspace.set_recipe(with_changes(QUICK, {"estimator.damping": 0.1}))
    assert panel.steering.now.damping == 1e-3
    panel.show()
    settle(qtbot, panel)
    assert panel.steering.now.damping == 0.1
    assert panel.figure.lines[0].value() == pytest.approx(-1)
