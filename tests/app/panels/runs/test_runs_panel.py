"""Runs panel: real run folders side by side, in a table and in pictures."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage

from app.panels.runs import RunsPanel
from app.plots import page_bar
from app.plots.empty import EmptyState
from app.preferences import Preferences
from app.records.overlaid import LATENCY
from app.tables.runs_table import RUN, STATE, TITLES
from engine.steering.events import LatencyMeasured
from tests.app.panels.runs.reading import cell, names, read, turn

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FINAL, SPARSITY = TITLES.index("Final %"), TITLES.index("Sparsity")


def test_it_is_empty_until_runs_are_added_and_again_without(qtbot, panel, folder):
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Press Add" in stack.text
    panel.add([folder / "a"])
    read(qtbot, panel, 1)
    assert not stack.is_empty
    panel.view.selectAll()
    qtbot.keyClick(panel.view, Key.Key_Delete)
    qtbot.waitUntil(lambda: stack.is_empty)
    assert (folder / "a" / "recipe.json").exists()


def test_the_table_has_what_the_summaries_say_and_sorts(qtbot, full, folder):
    assert names(full) == ["a", "b", "c"]
    summary = json.loads((folder / "b" / "summary.json").read_text())
    assert cell(full, 1, SPARSITY) == "90.0 %"
    for column in (RUN, SPARSITY, FINAL):
        assert full.view.columnWidth(column) >= full.view.sizeHintForColumn(column)
    assert cell(full, 1, FINAL) == f"{summary['final']['accuracy']:.2f} %"
    assert cell(full, 1, TITLES.index("Method")) == "Magnitude"
    full.view.sortByColumn(FINAL, Qt.SortOrder.AscendingOrder)
    shown = [float(cell(full, row, FINAL).removesuffix(" %")) for row in range(3)]
    assert shown == sorted(shown) and len(set(shown)) > 1


def test_what_is_unknown_sorts_last_both_ways(qtbot, full, folder):
    (folder / "d").mkdir()
    shutil.copy(folder / "a" / "recipe.json", folder / "d")
    full.add([folder / "d"])
    read(qtbot, full, 4)
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        full.view.sortByColumn(FINAL, order)
        assert names(full)[-1] == "d"


def test_curves_and_front_are_of_the_ticked_runs(qtbot, full):
    figure = full.below.figure
    qtbot.waitUntil(lambda: len(figure.traces) == 3)
    tested = figure.traces[2].points
    assert tested[0][-1] == 1.0  # after one epoch
    assert len(figure.traces[2].line[0]) == 1
    full.view.setCurrentIndex(full.view.proxy.index(0, RUN))
    qtbot.keyClick(full.view, Key.Key_Space)
    qtbot.waitUntil(lambda: len(figure.traces) == 2)
    turn(full, page_bar.AGAINST, 0)
    assert [float(t.points[0][0]) for t in figure.traces] == pytest.approx([90, 90], 1)
    best = max(float(t.points[1][0]) for t in figure.traces)
    assert figure.stairs == [(pytest.approx(90, abs=0.1), best)]


def test_settings_and_layers_are_side_by_side(qtbot, full, workspace):
    turn(full, page_bar.SETTINGS)
    lines = {line.key: line.cells for line in full.below.settings.lines}
    assert lines["allocation.sparsity"] == ("0.5", "0.9", "0.9")
    assert lines["finetune.epochs"] == ("0", "0", "1")
    turn(full, page_bar.LAYERS)
    model = full.below.layers
    assert model.titles == ("Layer", "a", "b", "c") and len(model.lines) == 10
    workspace.select_layer("fc.weight")
    view = full.below.layers_view
    assert view.currentIndex().row() == 9
    view.setFocus()
    qtbot.keyClick(view, Key.Key_Up)
    assert workspace.layer == "layer3.0.downsample.0.weight"


def test_a_click_on_a_point_chooses_its_run(qtbot, full, folder):
    turn(full, page_bar.AGAINST, 1)
    figure = full.below.figure
    qtbot.waitUntil(lambda: len(figure.traces) == 3)
    qtbot.wait(50)  # the axes are laid out when they are painted
    x, y = figure.traces[0].points
    scene = figure._plot.getViewBox().mapViewToScene(QPointF(x[0], y[0]))
    viewport = figure._canvas.viewport()
    qtbot.mouseClick(viewport, LEFT, pos=figure._canvas.mapFromScene(scene))
    assert full.view.selected() == [folder / "a"]


def test_a_double_click_and_enter_open_a_run(qtbot, full, folder):
    at = full.view.visualRect(full.view.proxy.index(1, STATE)).center()
    viewport = full.view.viewport()
    qtbot.mouseClick(viewport, LEFT, pos=at)
    with qtbot.waitSignal(full.run_opened) as opened:
        qtbot.mouseDClick(viewport, LEFT, pos=at)
    assert opened.args == [folder / "b"]
    with qtbot.waitSignal(full.run_opened) as opened:
        qtbot.keyClick(full.view, Key.Key_Return)
    assert opened.args == [folder / "b"]


def test_the_runs_and_columns_are_remembered(qtbot, show, runner, full, preferences):
    full.view.setCurrentIndex(full.view.proxy.index(1, RUN))
    qtbot.keyClick(full.view, Key.Key_Space)
    full.columns.menu.actions()[TITLES.index("Date")].trigger()
    again = Preferences(preferences.path)
    other = show(lambda w, b: RunsPanel(w, b, runner, again))
    read(qtbot, other, 3)
    assert [entry.drawn for entry in other.runs.entries] == [True, False, True]
    assert not other.view.isColumnHidden(TITLES.index("Date"))
    other.close_down()


def test_latencies_are_measured_on_demand(qtbot, full, workspace, bridge):
    turn(full, page_bar.AGAINST, LATENCY)
    stack = full.below.findChild(EmptyState)
    assert stack.is_empty and "Press Measure" in stack.text
    full.below.bar.images.setValue(4)
    qtbot.mouseClick(full.below.bar.button, LEFT)
    assert workspace.state == "running" and full.below.bar.button.text() == "Stop"
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=30_000)
    figure = full.below.figure
    qtbot.waitUntil(lambda: len(figure.traces) == 3)
    assert not stack.is_empty and full.below.bar.button.text() == "Measure"
    for entry, trace in zip(full.runs.entries, figure.traces, strict=True):
        assert trace.points[0][0] == pytest.approx(1000 * entry.latency.seconds)
        assert trace.spread[0] <= trace.points[0][0] <= trace.spread[1]
    assert "4 images" in figure._plot.getAxis("bottom").labelText
    other = LatencyMeasured(str(full.runs.entries[0].folder), 8, "cpu", 0.1, 0.1, 0.1)
    full.runs.take([other])  # of another batch: the others are not comparable
    assert [entry.latency is None for entry in full.runs.entries] == [False, True, True]


def test_measuring_is_stopped_with_the_same_button(qtbot, full, workspace):
    turn(full, page_bar.AGAINST, LATENCY)
    full.below.bar.images.setValue(4096)  # more than a moment's work
    qtbot.mouseClick(full.below.bar.button, LEFT)
    qtbot.mouseClick(full.below.bar.button, LEFT)
    assert workspace.state == "stopping"
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=30_000)
    assert sum(entry.latency is not None for entry in full.runs.entries) < 3


def test_everything_is_saved(qtbot, full, tmp_path):
    qtbot.waitUntil(lambda: len(full.below.figure.traces) == 3)
    for page in range(len(page_bar.PAGES)):
        turn(full, page)
        for suffix in ("png", "svg", "csv"):
            full.below.save(tmp_path / f"{page}.{suffix}")
        assert not QImage(str(tmp_path / f"{page}.png")).isNull()
        assert (tmp_path / f"{page}.svg").read_text().count("<") > 20
        rows = list(csv.reader((tmp_path / f"{page}.csv").read_text().splitlines()))
        assert len(rows) > 2 and len({len(row) for row in rows}) == 1
    full.save(tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [Path(row["Folder"]).name for row in rows] == ["a", "b", "c"]
    assert float(rows[1]["Sparsity"]) == pytest.approx(0.9, abs=1e-3)
