"""Curves panel: what is drawn, read out, zoomed and saved."""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QPushButton

from app.panels.curves import CurvesPanel
from app.plots.empty import EmptyState
from engine.events import Evaluated, LevelsPlanned, Noticed, Trained


def drawn(qtbot, panel):
    qtbot.waitUntil(lambda: not panel._dirty, timeout=5000)


def button(panel, text):
    return next(b for b in panel.findChildren(QPushButton) if b.text().startswith(text))


def test_it_says_what_to_do_until_something_came(qtbot, show, send, run, bridge):
    panel = show(CurvesPanel)
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Press Start" in stack.text
    send(Noticed("info", "Nothing to draw."))
    drawn(qtbot, panel)
    assert stack.is_empty
    send(*run)
    drawn(qtbot, panel)
    assert not stack.is_empty
    bridge.clear()
    assert stack.is_empty and panel.record.empty


def test_every_curve_gets_its_points(qtbot, show, send, run):
    panel = show(CurvesPanel)
    send(*run)
    drawn(qtbot, panel)
    figure = panel.figure
    assert figure._training.getData()[1].tolist() == [0.6, 0.3]
    assert figure._rate.getData()[0].tolist() == [0.5, 1.5]
    assert figure._accuracy["validation"].getData()[1].tolist() == [95.0, 97.0]
    assert figure._accuracy["test"].getData()[1].tolist() == [98.5, 80.0, 97.5]
    assert figure._pruned.getData()[1].tolist() == [50.0, 80.0]
    assert figure._planned.getData()[0].tolist() == [0.0, 1.0]
    assert figure._dense.value() == 98.5 and figure._dense.isVisible()
    assert figure._labels._labels == {0.0: "50 %", 1.0: "80 %"}


def test_sparsity_holds_its_level_until_the_next_prune(qtbot, show, send, run):
    panel = show(CurvesPanel)
    send(*run)
    drawn(qtbot, panel)
    path = panel.figure._sparsity.curve.getPath()
    points = [path.elementAt(i) for i in range(path.elementCount())]
    levels = {
        at: [a.y for a, b in pairwise(points) if a.y == b.y and a.x < at < b.x]
        for at in (0.5, 1.5)
    }
    assert levels == {0.5: [50.0], 1.5: [80.0]}


def test_measured_points_are_solid_and_planned_ones_hollow(qtbot, show, send, run):
    figure = show(CurvesPanel).figure
    send(*run)

    def filled(curve):
        return pg.mkBrush(curve.opts["symbolBrush"]).style() != Qt.BrushStyle.NoBrush

    assert not filled(figure._planned)
    assert filled(figure._pruned) and filled(figure._accuracy["test"])


def test_seconds_are_chosen_by_click_and_plots_share_them(qtbot, show, send, run):
    panel = show(CurvesPanel)
    send(*run)
    drawn(qtbot, panel)
    qtbot.mouseClick(button(panel, "Seconds"), Qt.MouseButton.LeftButton)
    assert panel.figure._training.getData()[0].tolist() == [12.0, 22.0]
    assert panel.figure._planned.getData()[0] is None  # nobody knows when, in seconds
    ranges = [plot.vb.viewRange()[0] for plot in panel.figure._plots]
    assert ranges[0][1] >= 24 and all(r == ranges[0] for r in ranges)


def test_a_run_without_fine_tuning_is_drawn_over_seconds(qtbot, show, send):
    panel = show(CurvesPanel)
    send(
        LevelsPlanned((0.0,), (0.8,), 0),
        Evaluated("dense", "test", 0.0, 0.1, 98.0, 0.0, time=1),
        Evaluated("pruned", "test", 0.0, 0.5, 70.0, 0.8, time=5),
    )
    drawn(qtbot, panel)
    assert panel.axis == "seconds"
    assert panel.figure._untrained.isVisible()
    assert panel.figure._accuracy["test"].getData()[0].tolist() == [1.0, 5.0]
    qtbot.mouseClick(button(panel, "Epochs"), Qt.MouseButton.LeftButton)
    low, high = panel.figure._plots[0].vb.viewRange()[0]
    assert low < 0 < high


@pytest.mark.parametrize(("loss", "top"), [(0.25, 0.5), (0.0, 1.0)])
def test_a_single_loss_stands_on_an_axis_from_zero(qtbot, show, send, loss, top):
    panel = show(CurvesPanel)
    send(Evaluated("dense", "test", 0, loss, 98.0, 0.0))
    drawn(qtbot, panel)
    low, high = panel.figure._plots[0].vb.viewRange()[1]
    assert -0.1 * top < low <= 0 and top <= high < 1.2 * top


def test_titles_of_axes_keep_clear_of_their_labels(qtbot, show, send):
    panel = show(CurvesPanel)
    send(*(Trained(i / 10, 1.0, 2.5e-4 * (1 - i / 20)) for i in range(1, 20)))
    drawn(qtbot, panel)
    axis = panel.figure._plots[3].getAxis("left")
    title = axis.mapRectFromItem(axis.label, axis.label.boundingRect())
    widest = QFontMetrics(panel.figure.font()).horizontalAdvance("0.00025")
    assert axis.width() - title.right() > widest


def test_zooming_holds_the_view_until_it_is_reset(qtbot, show, send, run):
    panel = show(CurvesPanel)
    send(*run)
    drawn(qtbot, panel)
    box = panel.figure._plots[0].vb
    box.scaleBy((0.1, 0.1))
    box.sigRangeChangedManually.emit(box.state["mouseEnabled"])
    held = box.viewRange()
    send(Trained(1.9, 0.2, 0.001, time=23.5))
    drawn(qtbot, panel)
    assert np.allclose(box.viewRange(), held)
    panel.activateWindow()
    qtbot.mouseClick(panel.figure._canvas.viewport(), Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel.figure._canvas, Qt.Key.Key_A)
    assert box.viewRange()[0][1] > 2.0


def test_values_under_the_mouse_are_written_out(qtbot, show, send, run):
    panel = show(CurvesPanel)
    send(*run)
    drawn(qtbot, panel)
    plot = panel.figure._plots[1]
    scene = panel.figure._canvas.scene()

    def read_out():  # plots take their places a few turns of the event loop later
        scene.sigMouseMoved.emit(plot.vb.mapViewToScene(QPointF(1.4, 90)))
        text = panel._readout.text()
        assert "train 0.3" in text and "95.00 %" in text and "80.0 % sparse" in text

    qtbot.waitUntil(read_out, timeout=5000)
    QApplication.sendEvent(panel.figure, QEvent(QEvent.Type.Leave))
    assert "Wheel zooms" in panel._readout.text()


def test_losses_that_are_not_numbers_leave_the_others_in_view(qtbot, show, send):
    panel = show(CurvesPanel)
    send(
        Trained(0.1, 1.0, 0.1, time=1),
        Trained(0.2, float("nan"), 0.1, time=2),
        Trained(0.3, float("inf"), 0.1, time=3),
        Trained(0.4, 2.0, 0.1, time=4),
    )
    drawn(qtbot, panel)
    assert panel.figure._training.getData()[1].tolist() == [1.0, 2.0]


def test_a_hundred_thousand_points_arrive_whole(qtbot, show, send):
    panel = show(CurvesPanel)
    count = 100_000
    send(*(Trained(i / 1000, 1 + i % 7, 0.1, time=i / 10) for i in range(count)))
    drawn(qtbot, panel)
    assert len(panel.record.training) == count
    curve = panel.figure._training
    assert len(curve.getOriginalDataset()[0]) == count
    assert len(curve.getData()[0]) < 10_000  # drawn thinned


def test_a_hidden_panel_draws_when_it_is_shown(qtbot, workspace, bridge, send, run):
    panel = CurvesPanel(workspace, bridge)
    qtbot.addWidget(panel)
    send(*run)
    assert panel.figure._training.getData()[0] is None
    panel.show()
    assert panel.figure._training.getData()[1].tolist() == [0.6, 0.3]


def test_picture_and_data_are_saved_through_their_buttons(
    qtbot, show, send, run, tmp_path
):
    panel = show(CurvesPanel)
    send(*run)
    drawn(qtbot, panel)
    click_and_answer(qtbot, button(panel, "Save"), tmp_path / "a.png")
    click_and_answer(qtbot, button(panel, "Save"), tmp_path / "b.csv")
    image = QImage(str(tmp_path / "a.png"))
    assert image.width() == 2 * panel.figure.width()
    colours = {image.pixel(x, y) for x in range(0, 1200, 3) for y in range(0, 800, 3)}
    assert len(colours) > 10
    rows = list(csv.DictReader((tmp_path / "b.csv").read_text().splitlines()))
    assert [r["stage"] for r in rows if r["series"] == "test"] == [
        "dense", "pruned", "final",
    ]  # fmt: skip
    assert [float(r["sparsity"]) for r in rows if r["series"] == "planned"] == [50, 80]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.csv"]


def click_and_answer(qtbot, widget, path: Path):
    """Press a button and type a path into the file dialog that opens."""

    def answer():
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        dialog.findChild(QLineEdit).setText(str(path))
        dialog.accept()

    QTimer.singleShot(200, answer)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
