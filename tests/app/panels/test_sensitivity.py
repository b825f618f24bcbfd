"""Sensitivity: curves and prices from the sums that are already there."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from app.panels.sensitivity import SensitivityPanel
from app.plots.empty import EmptyState
from app.steering.profile.budgeting import Budgeting
from app.steering.steering import Steering
from engine.recipe import parse, with_changes

LEFT = Qt.MouseButton.LeftButton
QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


@pytest.fixture
def budgeting(workspace, bridge, runner, inspector):
    inspector.take_as_seen(QUICK)  # else it clears the mailbox in between
    failures = []
    runner.run_failed.connect(failures.append)
    runner.crashed.connect(failures.append)
    yield Budgeting(workspace, bridge, runner, Steering(workspace, bridge))
    assert failures == []


@pytest.fixture
def panel(show, workspace, budgeting, study):
    workspace.set_recipe(QUICK)
    panel = show(lambda w, b: SensitivityPanel(w, budgeting._steering, budgeting))
    assert "Press Score" in panel.findChild(EmptyState).text
    workspace.set_scored(QUICK, study)
    return panel


def test_curves_are_the_sums_of_the_saliencies(panel, study):
    assert not panel.findChild(EmptyState).is_empty
    x, y = panel.figure.curves["conv1.weight"].getData()
    scores = study.ranking.layers["conv1.weight"].scores
    half = np.searchsorted(x, 50)
    count = round(x[half] / 100 * len(scores))
    assert 10 ** y[half] == pytest.approx(scores[:count].sum())
    assert x[-1] < 100  # the best weight of a layer never goes


def test_a_price_is_the_sum_of_the_next_percent(panel, study):
    prices = {price.name: price for price in panel.model.prices}
    price, layer = prices["layer3.0.conv1.weight"], study.ranking.layers
    layer = layer["layer3.0.conv1.weight"]
    gone = round(price.sparsity * layer.size)
    more = round(0.01 * layer.size)
    assert price.more == pytest.approx(layer.scores[gone : gone + more].sum())
    assert price.loss == pytest.approx(layer.scores[:gone].sum())


def test_what_has_no_percent_left_has_no_price(panel, workspace):
    floor = {"allocation.floor": {"fc": 0.999}, "allocation.sparsity": 0.95}
    workspace.set_recipe(with_changes(QUICK, floor))
    assert panel.model.prices[-1].more is None
    assert panel.model.index(9, 3).data() == ""


def test_prices_follow_the_recipe_and_sort(qtbot, panel, workspace):
    before = [price.more for price in panel.model.prices]
    workspace.set_recipe(with_changes(QUICK, {"allocation.sparsity": 0.5}))
    assert all(a > b.more for a, b in zip(before, panel.model.prices, strict=True))
    panel.view.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    shown = [panel.proxy.index(row, 3).data(Qt.ItemDataRole.UserRole) for row in (0, 9)]
    assert shown[0] == max(price.more for price in panel.model.prices) > shown[1]


def test_layers_are_chosen_by_keys_and_by_a_click_on_a_mark(qtbot, panel, workspace):
    workspace.select_layer("fc.weight")
    assert panel.view.currentIndex().row() == 9
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)
    assert workspace.layer == "layer3.0.downsample.0.weight"
    figure = panel.figure
    spots = {spot.data(): spot for spot in figure._marks.points()}
    at = spots["conv1.weight"].pos()
    scene = figure._plot.getViewBox().mapViewToScene(QPointF(at))
    viewport = figure._canvas.viewport()
    qtbot.mouseClick(viewport, LEFT, pos=figure._canvas.mapFromScene(scene))
    assert workspace.layer == "conv1.weight"


def test_nothing_to_prune_draws_nothing(panel, workspace):
    workspace.set_recipe(with_changes(QUICK, {"allocation.exclude": ["*"]}))
    assert panel.model.prices == [] and panel.figure.curves == {}


def test_a_price_in_the_budget_is_of_the_whole_network(panel, budgeting, study):
    prices = {price.name: price for price in panel.model.prices}
    layers = study.ranking.layers
    price, layer = prices["layer2.0.conv1.weight"], layers["layer2.0.conv1.weight"]
    gone = round(price.sparsity * layer.size)
    more = -(-sum(each.size for each in layers.values()) // 100)
    assert price.unit == pytest.approx(layer.scores[gone : gone + more].sum())
    assert prices["conv1.weight"].unit is None  # has not so many weights
    budgeting.set_goal("macs")
    price = panel.model.prices[3]
    more = int(np.ceil(study.ranking.macs / 100 / layer.uses))
    assert price.unit == pytest.approx(layer.scores[gone : gone + more].sum())
    heading = panel.model.headerData(4, Qt.Orientation.Horizontal)
    assert heading.endswith("MACs")
    budgeting.set_goal("milliseconds")
    assert panel.model.prices[3].unit is None  # not timed yet


def test_a_method_without_losses_says_so_and_can_be_measured(
    qtbot, panel, budgeting, workspace
):
    plain = with_changes(QUICK, {"estimator.kind": "magnitude"})
    workspace.set_recipe(plain)
    workspace.set_scored(plain, engine.score(plain))
    assert "measure layers" in panel.note.text()
    assert panel.model.prices[0].loss is None and panel.model.index(0, 2).data() == ""
    workspace.select_layer("fc.weight")
    measured(qtbot, panel, panel.one)
    assert list(budgeting.measured) == ["fc.weight"]
    assert "1 of 10 layers measured" in panel.note.text()


def measured(qtbot, panel, button):
    budgeting = panel._budgeting
    qtbot.mouseClick(button, LEFT)
    assert budgeting.working and panel.stop.isEnabled() and not button.isEnabled()
    qtbot.waitUntil(lambda: not budgeting.working, timeout=60_000)


def test_one_layer_is_measured_solid_over_its_prediction(
    qtbot, panel, workspace, budgeting, tmp_path
):
    before = panel.model.prices[0].unit, panel.model.prices[3].unit
    workspace.select_layer("layer2.0.conv1.weight")
    measured(qtbot, panel, panel.one)
    (told,) = budgeting.measured.values()
    figure, name = panel.figure, told.name
    x, y = figure.measured[name].getData()
    losses = np.array(told.losses)
    assert 10**y == pytest.approx(losses[losses > 0])
    assert x == pytest.approx(100 * np.array(told.sparsities)[losses > 0])
    assert figure.measured[name].opts["pen"].style() == Qt.PenStyle.SolidLine
    assert figure.curves[name].opts["pen"].style() == Qt.PenStyle.DashLine
    assert figure.accuracies[name].getData()[1].tolist() == list(told.accuracies)
    assert figure._below.scene() is not None
    after = panel.model.prices[0].unit, panel.model.prices[3].unit
    assert after[0] == before[0] and after[1] != before[1]
    panel.save(tmp_path / "a.csv")
    rows = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    solid = [row for row in rows if row["measured_loss"]]
    assert [float(row["measured_loss"]) for row in solid] == list(told.losses)
    workspace.set_scored(QUICK, workspace.scored.study)
    assert budgeting.measured == {} and figure._below.scene() is None


def test_measuring_shows_layers_as_they_come_and_keeps_them_when_stopped(
    qtbot, panel, budgeting, workspace
):
    qtbot.mouseClick(panel.every, LEFT)
    qtbot.waitUntil(lambda: len(budgeting.measured) >= 2, timeout=60_000)
    assert workspace.state == "running"
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=60_000)
    assert 2 <= len(budgeting.measured) < 10
    assert "layers measured on" in panel.note.text()
    assert panel.every.isEnabled() and not panel.stop.isEnabled()


def test_curves_are_saved(panel, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert (tmp_path / "a.svg").read_text().count("<polyline") >= 10
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len({row["layer"] for row in rows}) == 10
    assert sum(row["is_next_prune"] == "1" for row in rows) == 10
