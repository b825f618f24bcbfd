"""Runs panel: real run folders side by side, however they ended."""

import csv
import json
import shutil
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QLineEdit

import engine
from app.panels.runs import RunsPanel
from app.plots import side_by_side
from app.plots.empty import EmptyState
from app.preferences import Preferences
from app.records.overlaid import LATENCY
from app.tables.runs_table import NOTES, RUN, STATE, TITLES
from engine.recipe import parse
from engine.steering.events import LatencyMeasured

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FINAL, SPARSITY = TITLES.index("Final %"), TITLES.index("Sparsity")


def recipe(sparsity, epochs=0):
    return parse(
        {
            "estimator": {"kind": "magnitude"},
            "allocation": {"sparsity": sparsity},
            "finetune": {"epochs": epochs},
            "machine": {"device": "cpu", "threads": 1},
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of three runs."""
    top = tmp_path_factory.mktemp("made")
    for name, sparsity, epochs in (("a", 0.5, 0), ("b", 0.9, 0), ("c", 0.9, 1)):
        engine.run(recipe(sparsity, epochs), top / name)
    return top


@pytest.fixture
def folder(made, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(made, tmp_path / "runs")


@pytest.fixture
def panel(show, runner, preferences, folder):
    built = show(lambda w, b: RunsPanel(w, b, runner, preferences))
    built.resize(520, 560)
    yield built
    built.close_down()


@pytest.fixture
def full(qtbot, panel, folder):
    """The panel with all three runs, read."""
    panel.buttons["Add all"].click()
    read(qtbot, panel, 3)
    return panel


def read(qtbot, panel, count):
    def known():
        entries = panel.runs.entries
        assert len(entries) == count == len(panel.model.entries)
        assert all(entry.digest is not None for entry in entries)
        assert not panel._timer.isActive()

    qtbot.waitUntil(known, timeout=20_000)


def cell(panel, row, column, role=Qt.ItemDataRole.DisplayRole):
    return panel.view.proxy.index(row, column).data(role)


def names(panel):
    return [cell(panel, row, RUN) for row in range(panel.view.proxy.rowCount())]


def turn(panel, page, against=None):
    for box, number in ((panel.below.pages, page), (panel.below.against, against)):
        if number is not None:
            box.setCurrentIndex(number)
            box.activated.emit(number)


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
    turn(full, side_by_side.AGAINST, 0)
    assert [float(t.points[0][0]) for t in figure.traces] == pytest.approx([90, 90], 1)
    best = max(float(t.points[1][0]) for t in figure.traces)
    assert figure.stairs == [(pytest.approx(90, abs=0.1), best)]


def test_settings_and_layers_are_side_by_side(qtbot, full, workspace):
    turn(full, side_by_side.SETTINGS)
    lines = {line.key: line.cells for line in full.below.settings.lines}
    assert lines["allocation.sparsity"] == ("0.5", "0.9", "0.9")
    assert lines["finetune.epochs"] == ("0", "0", "1")
    turn(full, side_by_side.LAYERS)
    model = full.below.layers
    assert model.heads == ("Layer", "a", "b", "c") and len(model.lines) == 10
    workspace.select_layer("fc.weight")
    view = full.below.layers_view
    assert view.currentIndex().row() == 9
    view.setFocus()
    qtbot.keyClick(view, Key.Key_Up)
    assert workspace.layer == "layer3.0.downsample.0.weight"


def test_a_click_on_a_point_chooses_its_run(qtbot, full, folder):
    turn(full, side_by_side.AGAINST, 1)
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


def test_notes_are_kept_in_the_run_folder(qtbot, full, folder):
    full.view.setCurrentIndex(full.view.proxy.index(2, RUN))
    full.view.setFocus()
    qtbot.keyClick(full.view, Key.Key_F2)
    editor = full.view.findChild(QLineEdit)
    qtbot.keyClicks(editor, "the best")
    qtbot.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(lambda: cell(full, 2, NOTES) == "the best", timeout=5000)
    assert (folder / "c" / "notes.txt").read_text() == "the best\n"


def test_notes_of_a_folder_that_cannot_be_written_are_refused(qtbot, full, folder):
    (folder / "c" / "notes.txt").mkdir()
    full.model.setData(full.model.index(2, NOTES), "x")
    qtbot.waitUntil(lambda: full.note.isVisible(), timeout=5000)
    assert "cannot be written" in full.note.text() and cell(full, 2, NOTES) == ""


def test_runs_that_did_not_end_well_are_shown_as_they_are(qtbot, panel, folder):
    (folder / "a" / "summary.json").write_text("{")  # broken
    content = json.loads((folder / "b" / "recipe.json").read_text())
    content["estimator"]["gone"] = 1  # of another version
    (folder / "b" / "recipe.json").write_text(json.dumps(content))
    (folder / "c" / "events.jsonl").write_text("broken\n")
    (folder / "c" / "summary.json").unlink()
    panel.add([folder, folder / "nowhere"])
    read(qtbot, panel, 3)
    tips = [cell(panel, row, STATE, Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert "summary.json cannot be read" in tips[0]
    assert "another version" in tips[1]
    assert cell(panel, 2, STATE) == "Unreadable" and "Not an event" in tips[2]
    for page in range(len(side_by_side.PAGES)):
        turn(panel, page)
    shutil.rmtree(folder / "a")
    panel.buttons["Refresh"].click()
    qtbot.waitUntil(lambda: cell(panel, 0, STATE) == "Missing", timeout=5000)


def test_a_run_that_is_being_written_is_followed(qtbot, panel, folder, monkeypatch):
    run = folder / "c"
    (run / "summary.json").unlink()
    path = run / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if '"EpochFinished"' in line)
    path.write_text("".join(lines[:first]))
    panel.runs._again.setInterval(50)
    with FileLock(run / ".lock"):
        panel.add([run])
        read(qtbot, panel, 1)
        assert cell(panel, 0, STATE) == "Running"
        figure = panel.below.figure
        qtbot.waitUntil(lambda: len(figure.traces) == 1)
        assert len(figure.traces[0].line[0]) == 0
        with path.open("a") as file:
            file.write(lines[first])
        qtbot.waitUntil(lambda: len(figure.traces[0].line[0]) == 1, timeout=10_000)
    qtbot.waitUntil(lambda: cell(panel, 0, STATE) == "Interrupted", timeout=10_000)


def test_folders_are_dropped_and_anything_else_is_left_to_the_window(
    qtbot, panel, folder
):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / name)) for name in ("a", "b")])
    move, no = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), move, data, LEFT, no)
    panel.dragEnterEvent(enter)
    assert enter.isAccepted()
    panel.dropEvent(QDropEvent(QPointF(9, 9), move, data, LEFT, no))
    read(qtbot, panel, 2)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / "a" / "recipe.json"))])
    enter = QDragEnterEvent(QPoint(9, 9), move, data, LEFT, no)
    panel.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_a_folder_without_runs_is_said(qtbot, panel, tmp_path):
    (tmp_path / "bare").mkdir()
    panel.add([tmp_path / "bare"])
    qtbot.waitUntil(lambda: panel.note.isVisible(), timeout=5000)
    assert "no run in bare" in panel.note.text()


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
    turn(full, side_by_side.AGAINST, LATENCY)
    stack = full.below.findChild(EmptyState)
    assert stack.is_empty and "Press Measure" in stack.text
    full.below.images.setValue(4)
    qtbot.mouseClick(full.below.button, LEFT)
    assert workspace.state == "running" and full.below.button.text() == "Stop"
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=30_000)
    figure = full.below.figure
    qtbot.waitUntil(lambda: len(figure.traces) == 3)
    assert not stack.is_empty and full.below.button.text() == "Measure"
    for entry, trace in zip(full.runs.entries, figure.traces, strict=True):
        assert trace.points[0][0] == pytest.approx(1000 * entry.latency.seconds)
        assert trace.spread[0] <= trace.points[0][0] <= trace.spread[1]
    assert "4 images" in figure._plot.getAxis("bottom").labelText
    other = LatencyMeasured(str(full.runs.entries[0].folder), 8, "cpu", 0.1, 0.1, 0.1)
    full.runs.take([other])  # of another batch: the others are not comparable
    assert [entry.latency is None for entry in full.runs.entries] == [False, True, True]


def test_measuring_is_stopped_with_the_same_button(qtbot, full, workspace):
    turn(full, side_by_side.AGAINST, LATENCY)
    full.below.images.setValue(4096)  # more than a moment's work
    qtbot.mouseClick(full.below.button, LEFT)
    qtbot.mouseClick(full.below.button, LEFT)
    assert workspace.state == "stopping"
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=30_000)
    assert sum(entry.latency is not None for entry in full.runs.entries) < 3


def test_the_window_stays_free_while_folders_are_read(
    qtbot, panel, folder, monkeypatch
):
    """A folder that takes its time, such as one on a slow disk, holds nobody up."""
    slow, digest = threading.Event(), engine.digest

    def reading(path):
        slow.wait(10)
        return digest(path)

    monkeypatch.setattr(engine, "digest", reading)
    panel.add([folder])
    qtbot.waitUntil(lambda: len(panel.runs.entries) == 3, timeout=5000)
    qtbot.waitUntil(lambda: cell(panel, 0, STATE) == "Reading…", timeout=5000)
    assert "0 of 3 runs read" in panel.note.text()
    slow.set()
    read(qtbot, panel, 3)
    assert not panel.note.isVisible()


def test_hundreds_of_runs_are_read_in_little_time(qtbot, panel, folder, tmp_path):
    many, heavy = tmp_path / "many", shutil.ignore_patterns("states", "*.safetensors")
    for number in range(200):
        shutil.copytree(folder / "a", many / f"{number:03}", ignore=heavy)
    panel.add([many])
    read(qtbot, panel, 200)
    assert len(panel.model.entries) == 200
    assert len({entry.number for entry in panel.runs.entries}) == 200


def test_everything_is_saved(qtbot, full, tmp_path):
    qtbot.waitUntil(lambda: len(full.below.figure.traces) == 3)
    for page in range(len(side_by_side.PAGES)):
        turn(full, page)
        for suffix in ("png", "svg", "csv"):
            full.below.save(tmp_path / f"{page}.{suffix}")
        assert not QImage(str(tmp_path / f"{page}.png")).isNull()
        assert (tmp_path / f"{page}.svg").read_text().count("<") > 20
        rows = list(csv.reader((tmp_path / f"{page}.csv").read_text().splitlines()))
        assert len(rows) > 2 and len({len(row) for row in rows}) == 1
    full.save_table(tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [Path(row["Folder"]).name for row in rows] == ["a", "b", "c"]
    assert float(rows[1]["Sparsity"]) == pytest.approx(0.9, abs=1e-3)


def test_nothing_is_read_after_the_end(qtbot, panel, folder):
    panel.close_down()
    panel.add([folder])
    panel.runs.read_again()
    qtbot.wait(50)
    assert panel.runs.entries == []
