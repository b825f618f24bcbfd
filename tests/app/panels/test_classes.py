"""Classes: measured behind the view, before and after a prune or a run."""

import csv

import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from app.dialogs.picture import PictureDialog
from app.looking.networks import Networks
from app.panels.classes import MEASURE, STOP, ClassesPanel
from app.plots.empty import EmptyState
from app.steering.steering import Steering
from engine.recipe import parse, with_changes

PATIENCE = 60_000
LEFT = Qt.MouseButton.LeftButton
QUICK = parse(
    {
        "estimator": {"kind": "magnitude"},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


@pytest.fixture
def panel(qtbot, workspace, bridge, runner, inspector):
    workspace.set_recipe(QUICK)
    inspector.take_as_seen(QUICK)
    networks = Networks(workspace, bridge, Steering(workspace, bridge))
    panel = ClassesPanel(workspace, networks, runner)
    qtbot.addWidget(panel)
    panel.resize(560, 520)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    networks.close()


def measured(qtbot, panel):
    qtbot.mouseClick(panel.measure, LEFT)
    assert panel.measure.text() == STOP
    qtbot.waitUntil(lambda: panel.report is not None, timeout=PATIENCE)


def test_the_next_prune_is_measured_and_told(qtbot, panel, workspace, study):
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Press Score" in stack.text
    assert not panel.measure.isEnabled() and not panel.save_button.isEnabled()
    workspace.set_scored(QUICK, study)
    assert "Press Measure" in stack.text
    measured(qtbot, panel)
    assert workspace.state == "idle" and panel.measure.text() == MEASURE
    report = panel.report
    assert not stack.is_empty and report.split == "validation"
    shown = [
        panel.proxy.index(row, 4).data(Qt.ItemDataRole.UserRole) for row in range(10)
    ]
    assert shown == sorted(shown) and shown[0] < 0
    heights = panel.figure.after.opts["height"]
    changes = sorted(report.classes, key=lambda each: each.change)
    assert heights == pytest.approx([each.accuracies[1] for each in changes])
    text = panel.text.text()
    assert f"Class {changes[0].name} loses most" in text and "taken for" in text
    assert "Masks alone" in text
    assert panel.figure.after.opts["brush"].color().alphaF() < 0.5  # hollow
    panel.splits.setFocus()
    qtbot.keyClick(panel.splits, Qt.Key.Key_Down)
    assert stack.is_empty and "Press Measure" in stack.text
    measured_on_test = workspace.recipe
    workspace.set_recipe(with_changes(measured_on_test, {"allocation.sparsity": 0.5}))
    qtbot.keyClick(panel.splits, Qt.Key.Key_Up)
    assert "have changed since" in panel.text.text()


def test_images_open_by_mouse_and_keys(qtbot, panel, workspace, study):
    workspace.set_scored(QUICK, study)
    measured(qtbot, panel)
    panel.tabs.setCurrentIndex(1)
    images, report = panel.thumbnails, panel.report
    assert images.count() == len(report.wrong) > 1
    assert (
        "\N{RIGHTWARDS ARROW}" in images.item(0).text()
        and not images.item(0).icon().isNull()
    )
    at = images.visualItemRect(images.item(1)).center()
    qtbot.mouseClick(images.viewport(), LEFT, pos=at)
    (dialog,) = panel.findChildren(PictureDialog)
    wrong = report.wrong[1]
    assert f"{wrong.truth}, taken for {wrong.says}" in dialog.words.text()
    pixel = dialog.picture.pixmap().toImage().pixelColor(2, 2).red()
    assert pixel == wrong.picture[0, 0, 0]
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    images.setFocus()
    qtbot.keyClick(images, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: any(d.isVisible() for d in panel.findChildren(PictureDialog))
    )


def test_a_bar_chooses_its_row(qtbot, panel, workspace, study):
    workspace.set_scored(QUICK, study)
    measured(qtbot, panel)
    figure = panel.figure
    scene = figure._plot.getViewBox().mapViewToScene(QPointF(3, 50))
    viewport = figure._canvas.viewport()
    qtbot.mouseClick(viewport, LEFT, pos=figure._canvas.mapFromScene(scene))
    assert panel.table.currentIndex().row() == 3


def test_measuring_stops_when_asked(qtbot, panel, workspace, study):
    workspace.set_scored(QUICK, study)
    qtbot.mouseClick(panel.measure, LEFT)
    qtbot.mouseClick(panel.measure, LEFT)
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=PATIENCE)
    assert panel.report is None and panel.measure.text() == MEASURE
    assert "Press Measure" in panel.findChild(EmptyState).text


def test_a_run_is_compared_with_its_beginning(qtbot, panel, workspace, tmp_path):
    panel.networks.setFocus()
    qtbot.keyClick(panel.networks, Qt.Key.Key_Down)
    stack = panel.findChild(EmptyState)
    assert "open a run folder" in stack.text
    engine.run(QUICK, tmp_path / "run")
    workspace.set_folder(tmp_path / "run")
    qtbot.waitUntil(panel.measure.isEnabled, timeout=PATIENCE)
    measured(qtbot, panel)
    assert panel.figure.after.opts["brush"].color().alphaF() == 1  # solid
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 10 and (tmp_path / "a.png").stat().st_size > 1000
    changes = [float(row["change_points"]) for row in rows]
    assert changes == sorted(changes)
    workspace.set_folder(None)
    assert panel.report is None and stack.is_empty


def test_a_broken_run_says_so(qtbot, panel, workspace, tmp_path):
    panel.networks.setFocus()
    qtbot.keyClick(panel.networks, Qt.Key.Key_Down)
    workspace.set_folder(tmp_path)
    stack = panel.findChild(EmptyState)
    qtbot.waitUntil(lambda: "not a run folder" in stack.text, timeout=PATIENCE)
    assert not panel.measure.isEnabled()
