"""Duel panel: a fight on the engine's thread, its map, its table and its rival."""

import csv
import gc

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage

from app import palette
from app.panels.duel import DuelPanel
from app.plots.empty import EmptyState
from engine.looking.dispute import FIRST
from engine.recipe import parse, with_changes

LEFT = Qt.MouseButton.LeftButton
PATIENCE = 60_000
QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 30, "block_size": 50},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture
def fresh(show, workspace, runner):
    gc.collect()  # the last test's widgets, before the engine's thread may find them
    workspace.set_recipe(QUICK)
    return show(lambda w, b: DuelPanel(w, runner))


@pytest.fixture
def panel(qtbot, fresh, workspace, runner):
    assert "press Duel" in fresh.findChild(EmptyState).text
    assert not fresh._save.isEnabled()
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        qtbot.mouseClick(fresh.start, LEFT)
        assert fresh.start.text() == "Stop" and not fresh.kinds.isEnabled()
    assert workspace.recipe == QUICK
    return fresh


def test_it_tells_layer_by_layer_and_in_words(panel):
    duel = panel.duel
    assert (duel.first, duel.rival) == ("WoodFisher", "Magnitude")
    assert not panel.findChild(EmptyState).is_empty and panel.start.text() == "Duel"
    assert f"{duel.disputed:,} are disputed" in panel.words.text()
    assert "validation images" in panel.words.text()
    heights = panel.figure.points.getData()[1]
    probe = duel.probe
    assert list(heights) == [
        probe.dense.accuracy, probe.agreed.accuracy, probe.first.accuracy,
        probe.rival.accuracy,
    ]  # fmt: skip
    panel.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    top = panel.proxy.index(0, 1).data(Qt.ItemDataRole.UserRole)
    assert top == max(layer.disputed for layer in duel.layers)
    tip = panel.proxy.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "by WoodFisher alone" in tip


def test_the_map_is_the_selected_layers(qtbot, panel, workspace):
    name = max(panel.duel.layers, key=lambda each: each.first).name
    workspace.select_layer(name)
    codes = panel.duel.maps[name]
    picture = panel.figure.picture.image
    assert picture.shape == (*codes.shape, 3)
    shade = tuple(int(palette.current().sparsity[i : i + 2], 16) for i in (1, 3, 5))
    assert np.array_equal((picture == shade).all(2), codes == FIRST)
    columns, rows = panel.figure.spots[FIRST].getData()
    assert len(rows) == (codes == FIRST).sum() > 0
    assert (codes[rows.astype(int), columns.astype(int)] == FIRST).all()
    panel.table.setFocus()
    before = panel.table.currentIndex().row()
    qtbot.keyClick(panel.table, Qt.Key.Key_Up if before else Qt.Key.Key_Down)
    assert workspace.layer != name
    assert (
        panel.figure.picture.image.shape[:2] == panel.duel.maps[workspace.layer].shape
    )


def test_the_mouse_reads_a_weight(qtbot, panel, workspace):
    workspace.select_layer("fc.weight")
    figure = panel.figure
    panel.grab()
    view = figure._map.getViewBox()
    figure._point(view.mapViewToScene(QPointF(5.5, 3.5)))
    assert panel.pointed.text().startswith("Channel 3, weight 5: ")
    figure._point(QPointF(-5, -5))
    assert panel.pointed.text() == ""


def test_another_recipe_or_rival_asks_for_another_duel(panel, workspace):
    workspace.set_recipe(with_changes(QUICK, {"allocation.sparsity": 0.5}))
    assert "Press Duel again" in panel.words.text()
    workspace.undo()
    assert "again" not in panel.words.text()
    workspace.set_recipe(with_changes(QUICK, {"machine.seed": 7}))
    assert "Press Duel again" in panel.words.text()
    workspace.undo()
    panel.draft.edit("estimator.kind", "taylor")
    assert "Press Duel again" in panel.words.text()


def test_the_rival_has_settings_of_its_own(qtbot, fresh, workspace):
    qtbot.mouseClick(fresh.more, LEFT)
    assert fresh.drawer.isVisible()
    fresh.kinds.setCurrentIndex(fresh.kinds.findData("mfac"))
    fresh.kinds.activated.emit(fresh.kinds.currentIndex())
    row = fresh.form.rows["samples"]
    row.edited.emit("many")
    qtbot.waitUntil(row.error.isVisible)
    assert not fresh.start.isEnabled()
    row.edited.emit(20)
    assert fresh.rival.recipe.estimator.samples == 20 and fresh.start.isEnabled()
    assert fresh.rival.recipe.estimator.kind == "mfac"
    assert workspace.recipe == QUICK


def test_it_can_be_stopped(qtbot, fresh, workspace, runner):
    fresh.draft.edit("estimator.kind", "fishleg")
    with qtbot.waitSignal(runner.run_ended, timeout=PATIENCE):
        qtbot.mouseClick(fresh.start, LEFT)
        qtbot.mouseClick(fresh.start, LEFT)
        assert workspace.state == "stopping"
    assert fresh.duel is None and fresh.findChild(EmptyState).is_empty
    assert fresh.start.isEnabled() and fresh.start.text() == "Duel"


def test_a_rival_that_does_not_fit_is_told(qtbot, fresh, workspace, runner):
    workspace.set_recipe(with_changes(QUICK, {"pattern.kind": "groups"}))
    fresh.draft.edit("estimator.kind", "woodfisher")
    fresh.draft.edit("estimator.order", "greedy")
    with qtbot.waitSignal(runner.run_failed, timeout=PATIENCE) as failed:
        qtbot.mouseClick(fresh.start, LEFT)
    assert "Greedy" in failed.args[0].message
    assert fresh.start.text() == "Duel"


def test_map_and_layers_are_saved(panel, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert not QImage(str(tmp_path / "a.png")).isNull()
    assert "<image" in (tmp_path / "a.svg").read_text()
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["layer"] for row in rows] == [each.name for each in panel.duel.layers]
    first = panel.duel.layers[2]
    assert int(rows[2]["only_first"]) == first.first
    assert float(rows[2]["overlap"]) == pytest.approx(first.overlap)
