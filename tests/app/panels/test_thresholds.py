"""Thresholds panel: prunes, layers, bins, saving."""

import csv

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from app.panels.thresholds import ThresholdsPanel as Panel
from app.plots.empty import EmptyState
from app.steering.steering import Steering
from engine.events import Histogram, Scored


@pytest.fixture
def thresholds(probing):
    """The panel, which has nobody to measure for."""
    return lambda workspace, bridge: Panel(
        workspace, bridge, Steering(workspace, bridge), probing
    )


def drawn(qtbot, panel):
    qtbot.waitUntil(lambda: not panel._timer.isActive(), timeout=5000)


def test_the_newest_prune_of_the_first_layer_is_shown(
    qtbot, show, send, run, bridge, thresholds
):
    panel = show(thresholds)
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Press Score" in stack.text
    panel._workspace.set_state("running")
    assert stack.is_empty and "as soon as" in stack.text
    panel._workspace.set_state("idle")
    assert stack.is_empty and "Press Score" in stack.text
    send(*run)
    drawn(qtbot, panel)
    assert not stack.is_empty
    assert panel.shown == run[9].layers[0]
    assert panel.steps.count() == 2 and panel.steps.currentText() == "Prune 2"
    assert panel.layers.currentText() == "conv1"
    text = panel.text.text()
    assert (
        text.startswith("conv1 ")
        and "28 kept" in text
        and "7 removed now" in text
        and "0 removed before" in text
    )
    assert "1 with zero" in text and "3.2\N{MULTIPLICATION SIGN}10⁻⁷" in text
    assert "layer 80.0 %, overall 80.0 % sparse" in text
    bridge.clear()
    assert stack.is_empty and panel.shown is None and panel.steps.count() == 0


def test_the_layer_follows_the_workspace_and_back(
    qtbot, show, send, run, workspace, thresholds
):
    panel = show(thresholds)
    send(*run)
    drawn(qtbot, panel)
    workspace.select_layer("fc.weight")
    assert panel.shown.name == "fc.weight"
    assert panel.layers.currentText() == "fc"
    assert "25 removed before" in panel.text.text()
    panel.layers.setFocus()
    qtbot.keyClick(panel.layers, Qt.Key.Key_Up)
    assert workspace.layer == "conv1.weight"


def test_a_layer_that_is_not_pruned_says_so(
    qtbot, show, send, run, workspace, thresholds
):
    panel = show(thresholds)
    send(*run)
    workspace.select_layer("emb.weight")
    assert panel.shown is None and panel.text.text() == ""
    assert (
        panel._layer_stack.is_empty and "emb is not pruned" in panel._layer_stack.text
    )


def test_an_older_prune_stays_when_chosen(qtbot, show, send, run, thresholds):
    panel = show(thresholds)
    send(*run)
    drawn(qtbot, panel)
    qtbot.keyClick(panel.steps, Qt.Key.Key_Up)
    assert panel._step() == 1
    send(Scored(3, run[4].layers, time=50))
    assert panel._step() == 1 and panel.steps.count() == 3
    qtbot.keyClick(panel.steps, Qt.Key.Key_End)
    send(Scored(4, run[4].layers, time=60))
    assert panel._step() == 4


def test_bars_and_cut_stand_where_the_bins_say(qtbot, show, send, run, thresholds):
    panel = show(thresholds)
    send(*run)
    drawn(qtbot, panel)
    figure = panel.figure
    assert figure._cut.value() == -6.5
    tops = figure._live.opts["y0"] + figure._live.opts["height"]
    assert (10**tops).tolist() == pytest.approx([0.5, 3, 20, 5])
    assert figure._live.opts["height"][0] == 0 < figure._live.opts["height"][1]
    qtbot.mouseClick(panel.logarithmic, Qt.MouseButton.LeftButton)
    assert figure._live.opts["height"].tolist() == [0, 3, 20, 5]
    assert figure._removed.opts["height"].tolist() == [5, 2, 0, 0]
    assert figure._live.opts["x0"].tolist() == [-8, -7, -6, -5]


def test_odd_histograms_are_drawn(qtbot, show, send, thresholds):
    panel = show(thresholds)
    odd = (
        Histogram("none.cut", -8, -4, (1, 2), (0, 0)),
        Histogram("no.live", -8, -4, (0, 0), (4, 0), cut=float("inf")),
        Histogram("all.zero", -8, -7, (0,), (0,), below=9, cut=-7.0),
    )
    for step, histogram in enumerate(odd, 1):
        send(Scored(step, (histogram,)))
        drawn(qtbot, panel)
        assert panel.shown == histogram
        panel.grab()
    assert panel.figure._cut.isVisible()
    qtbot.keyClick(panel.steps, Qt.Key.Key_Home)
    assert not panel.figure._cut.isVisible()


def test_picture_and_bins_are_saved(qtbot, show, send, run, tmp_path, thresholds):
    panel = show(thresholds)
    send(*run)
    drawn(qtbot, panel)
    panel.save(tmp_path / "a.png")
    panel.save(tmp_path / "a.csv")
    assert QImage(str(tmp_path / "a.png")).width() == 2 * panel.figure.width()
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [int(row["kept"]) for row in rows] == [0, 3, 20, 5]
    assert [float(row["log10_to"]) for row in rows] == [-7, -6, -5, -4]
