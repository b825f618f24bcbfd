"""The next prune: cuts moved by mouse, keys and numbers, and what they come to."""

import threading
import time

import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from app.panels.thresholds import ThresholdsPanel
from app.plots.cuts import ALL, LAYER
from app.plots.empty import EmptyState
from app.steering.steering import Steering
from engine.events import ModelLoaded
from engine.recipe import parse, with_changes
from engine.steering.overrides import overridden

PATIENCE = 20_000
LEFT = Qt.MouseButton.LeftButton
QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def network():
    """Scored once for all tests, and what was loaded for it."""
    events = []
    study = engine.score(QUICK, emit=events.append)
    return study, next(e for e in events if isinstance(e, ModelLoaded))


@pytest.fixture
def panel(qtbot, workspace, bridge, send, network, probing):
    workspace.set_recipe(QUICK)
    panel = ThresholdsPanel(workspace, bridge, Steering(workspace, bridge), probing)
    qtbot.addWidget(panel)
    panel.resize(700, 600)
    panel.show()
    qtbot.waitExposed(panel)
    assert "Press Score" in panel.findChild(EmptyState).text
    send(network[1])
    workspace.set_scored(QUICK, network[0])
    return panel


def place(panel, which):
    """Where the line is on the screen."""
    figure, line = panel.figure, panel.figure.cuts.lines[which]
    box = figure._plot.getViewBox()
    low, high = box.viewRange()[1]
    height = low + (high - low) * (0.7 if which == ALL else 0.3)
    at = box.mapViewToScene(QPointF(line.value(), height))
    return figure._canvas.mapFromScene(at)


def drag(qtbot, panel, which, pixels, release=True):
    """Press on a line, move and let go."""
    viewport, at = panel.figure._canvas.viewport(), place(panel, which)
    qtbot.mouseMove(viewport, at)
    qtbot.mousePress(viewport, LEFT, pos=at)
    steps = 6
    for step in range(1, steps + 1):
        moved = at + (QPointF(pixels * step / steps, 0)).toPoint()
        qtbot.mouseMove(viewport, moved)
        qtbot.wait(10)
    if release:
        qtbot.mouseRelease(viewport, LEFT, pos=moved)
    return moved


def words(panel, title):
    return panel.next.table.words(title)


def test_the_next_prune_is_on_show_once_the_network_is_scored(panel):
    assert panel.steps.currentText() == "Next prune"
    assert panel.layers.count() == 10
    assert panel.next.bar.fields[ALL].value() == 90
    assert "90.0 %" in words(panel, "Prunable layers")
    assert words(panel, "MACs left").startswith("\N{WHITE CIRCLE}")
    lines = panel.figure.cuts.lines
    assert lines[ALL].value() == lines[LAYER].value()


def test_dragging_the_common_cut_is_a_forecast_until_it_is_let_go(
    qtbot, panel, workspace
):
    before = words(panel, "Prunable layers")
    drag(qtbot, panel, ALL, -60, release=False)
    assert panel.figure.cuts.held
    assert words(panel, "Prunable layers") != before
    assert panel.next.bar.fields[ALL].value() < 90
    assert workspace.recipe == QUICK
    assert panel.figure.cuts.lines[LAYER].value() < panel.figure.cuts.lines[ALL].value()
    panel.figure.setFocus()
    qtbot.keyClick(panel.figure, Qt.Key.Key_Escape)
    assert words(panel, "Prunable layers") == before


def test_letting_the_common_cut_go_sets_the_target_and_undo_takes_it_back(
    qtbot, panel, workspace
):
    drag(qtbot, panel, ALL, -60)
    moved = workspace.recipe.allocation
    assert 0.05 < moved.sparsity < 0.9 and moved.floor == {}
    shown = sum(panel.steering.forecast.zeros.values())
    assert shown == pytest.approx(moved.sparsity * 77_072)
    workspace.undo()
    assert workspace.recipe == QUICK
    assert panel.next.bar.fields[ALL].value() == 90


def test_letting_a_layers_cut_go_makes_an_override_that_can_be_cleared(
    qtbot, panel, workspace
):
    workspace.select_layer("layer3.0.conv1.weight")
    others = panel.steering.sparsity("conv1.weight")
    drag(qtbot, panel, LAYER, -40)
    name = "layer3.0.conv1.weight"
    given = overridden(workspace.recipe.allocation, name)
    assert given == panel.steering.sparsity(name)
    assert words(panel, "This layer (override)")
    assert workspace.recipe.allocation.sparsity == 0.9
    assert panel.steering.sparsity("conv1.weight") > others  # they make up for it
    assert panel.next.bar.clear.isVisible()
    qtbot.mouseClick(panel.next.bar.clear, LEFT)
    assert workspace.recipe == QUICK
    assert not panel.next.bar.clear.isVisible()


def test_a_target_that_gives_way_is_said(panel, workspace):
    panel.steering.set_share("layer3.0.conv2.weight", 0.1)
    bar = panel.next.bar
    assert "the target moves" in bar.words.text()
    assert bar.alarm.isVisible() and "and 7 more" in bar.alarm.text()
    panel.steering.release()
    assert workspace.recipe.allocation.sparsity < 0.9
    assert panel.steering.problem == ""
    assert "the target moves" in bar.words.text()  # numbers are let go at once
    workspace.undo()
    assert not bar.words.isVisible()
    assert not bar.alarm.isVisible()


def test_a_release_looks_once(panel, workspace):
    looks = []
    panel.steering.set_share(ALL, 0.5)
    panel.steering.changed.connect(lambda: looks.append(panel.steering.forecast))
    panel.steering.release()
    assert len(looks) == 1 and workspace.recipe.allocation.sparsity == 0.5
    panel.steering.set_share(ALL, 0.5)
    panel.steering.release()  # changes nothing
    assert len(looks) == 3 and panel.steering.allocation.sparsity == 0.5


def test_keys_move_the_chosen_line(qtbot, panel, workspace):
    figure = panel.figure
    figure.setFocus()
    for _ in range(3):
        qtbot.keyClick(figure, Qt.Key.Key_Left)
    assert workspace.recipe.allocation.sparsity == pytest.approx(0.897)
    workspace.undo()
    assert workspace.recipe == QUICK  # keys in a row are one change
    qtbot.keyClick(figure, Qt.Key.Key_Down)
    assert figure.cuts.active == LAYER
    share = panel.steering.sparsity("conv1.weight")
    qtbot.keyClick(figure, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert overridden(workspace.recipe.allocation, "conv1.weight") > share


def test_numbers_move_the_lines(qtbot, panel, workspace):
    field, line = panel.next.bar.fields[LAYER], panel.figure.cuts.lines[LAYER]
    before = line.value()
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "75")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert overridden(workspace.recipe.allocation, "conv1.weight") == 108 / 144
    assert line.value() > before


def test_a_forecast_takes_far_less_than_a_tenth_of_a_second(panel):
    panel.steering.drag(ALL, 1e-7)
    began = time.perf_counter()
    for step in range(20):
        panel.steering.drag(ALL, 10 ** (-8 + step / 20))
    assert (time.perf_counter() - began) / 20 < 0.1


def test_accuracy_follows_and_rests_when_nobody_looks(qtbot, panel):
    title = "Accuracy"
    qtbot.waitUntil(lambda: "dense" in words(panel, title), timeout=PATIENCE)
    before = words(panel, title)
    panel.steering.set_share(ALL, 0.1)
    assert "a moment ago" in words(panel, title)  # it is of other cuts
    panel.steering.release()
    qtbot.waitUntil(lambda: "ago" not in words(panel, title), timeout=PATIENCE)
    assert words(panel, title) != before
    now = words(panel, title)
    panel.hide()
    panel.steering.set_share(ALL, 0.97)
    qtbot.wait(400)
    late = words(panel, title).replace(" a moment ago", "")
    assert late == now  # nobody measured


def test_a_run_gets_the_memory_and_the_processors(qtbot, panel, workspace):
    qtbot.waitUntil(lambda: "dense" in words(panel, "Accuracy"), timeout=PATIENCE)
    workspace.set_state("running")
    assert "dense" in words(panel, "Accuracy")  # it is still of these cuts
    names = lambda: {thread.name for thread in threading.enumerate()}  # noqa: E731
    qtbot.waitUntil(lambda: "prober" not in names(), timeout=PATIENCE)
    workspace.set_state("idle")
    qtbot.waitUntil(lambda: "prober" in names(), timeout=PATIENCE)


def test_what_cannot_be_moved_says_why(qtbot, panel, workspace):
    bar = panel.next.bar
    for change, word in (
        ({"pattern.kind": "n_m"}, "the pattern has changed"),
        ({"estimator.samples": 41}, "Press Score"),
        ({"allocation.floor": {"fc": 0.9}, "allocation.ceiling": {"fc": 0.1}}, "floor"),
    ):
        workspace.set_recipe(with_changes(QUICK, change))
        assert word in bar.words.text()
        assert not bar.fields[ALL].isEnabled()
        assert not words(panel, "Accuracy").startswith("measuring")  # it never will
        before = workspace.recipe
        panel.figure.setFocus()
        qtbot.keyClick(panel.figure, Qt.Key.Key_Left)
        assert workspace.recipe == before
    workspace.set_recipe(with_changes(QUICK, {"allocation.kind": "uniform"}))
    assert "not one cut" in bar.words.text()
    assert not panel.figure.cuts.lines[ALL].isVisible()
    assert panel.figure.cuts.lines[LAYER].isVisible()
    workspace.set_recipe(QUICK)
    workspace.set_state("running")
    assert "no run" in bar.words.text()


def test_a_pattern_that_fixes_how_much_goes_has_no_cut_to_move(qtbot, panel, workspace):
    fixed = with_changes(QUICK, {"pattern.kind": "n_m", "allocation.sparsity": 0.5})
    workspace.set_recipe(fixed)
    workspace.set_scored(fixed, engine.score(fixed))
    assert "2:4 fixes how many" in panel.next.bar.words.text()
    assert "49." in words(panel, "Prunable layers")  # what the pattern can take
    qtbot.waitUntil(lambda: "dense" in words(panel, "Accuracy"), timeout=PATIENCE)


def test_another_network_has_no_forecast(panel, workspace):
    changed = with_changes(QUICK, {"model.kind": "resnet_cifar"})
    workspace.set_recipe(changed)
    assert panel.steps.count() == 0
    workspace.undo()
    assert panel.steps.currentText() == "Next prune"


def test_an_excluded_layer_stays_dense_and_a_new_one_asks_for_a_score(panel, workspace):
    few = with_changes(QUICK, {"allocation.exclude": ["fc"]})
    workspace.set_recipe(few)
    assert panel.layers.count() == 9
    workspace.select_layer("fc.weight")
    assert "stays dense" in panel._layer_stack.text
    assert words(panel, "This layer") == "stays dense"
    workspace.set_scored(few, engine.score(few))
    workspace.set_recipe(QUICK)
    assert "fc has no saliencies yet" in panel.next.bar.words.text()


def test_where_every_layer_is_excluded_there_is_nothing_to_foretell(panel, workspace):
    workspace.set_recipe(with_changes(QUICK, {"allocation.exclude": ["*"]}))
    assert panel.layers.count() == 0
    assert "nothing to foretell" in panel._layer_stack.text
    panel.every.click()
    panel.grab()


def test_pictures_and_bins_of_the_next_prune_are_saved(panel, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert (tmp_path / "a.svg").read_text().count("<rect") > 50
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert sum(int(row.split(",")[3]) for row in rows[1:]) > 0


def test_both_themes_are_drawn(panel, qapp):
    from app import assets

    for theme in ("dark", "light"):
        assets.apply_theme(qapp, theme)
        panel.grab()
