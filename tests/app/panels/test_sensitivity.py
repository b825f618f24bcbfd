"""Sensitivity: curves and prices from the sums that are already there."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from app.panels.sensitivity import SensitivityPanel
from app.plots.empty import EmptyState
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
def panel(show, workspace, study):
    workspace.set_recipe(QUICK)
    panel = show(lambda w, b: SensitivityPanel(w, Steering(w, b)))
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
    assert panel.model.index(9, 4).data() == ""


def test_prices_follow_the_recipe_and_sort(qtbot, panel, workspace):
    before = [price.more for price in panel.model.prices]
    workspace.set_recipe(with_changes(QUICK, {"allocation.sparsity": 0.5}))
    assert all(a > b.more for a, b in zip(before, panel.model.prices, strict=True))
    panel.view.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    shown = [panel.proxy.index(row, 4).data(Qt.ItemDataRole.UserRole) for row in (0, 9)]
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


def test_a_method_without_losses_says_so(panel, workspace):
    plain = with_changes(QUICK, {"estimator.kind": "magnitude"})
    workspace.set_recipe(plain)
    workspace.set_scored(plain, engine.score(plain))
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "second-order" in stack.text


def test_curves_are_saved(panel, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert (tmp_path / "a.svg").read_text().count("<polyline") >= 10
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len({row["layer"] for row in rows}) == 10
    assert sum(row["is_next_prune"] == "1" for row in rows) == 10
