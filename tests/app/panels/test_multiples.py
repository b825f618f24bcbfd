"""Small multiples: all layers of a prune at once, linked with the selection."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from app.panels.thresholds import ThresholdsPanel
from app.steering.steering import Steering


@pytest.fixture
def panel(qtbot, show, send, run, probing):
    panel = show(
        lambda workspace, bridge: ThresholdsPanel(
            workspace, bridge, Steering(workspace, bridge), probing
        )
    )
    send(*run)
    qtbot.waitUntil(lambda: not panel._timer.isActive(), timeout=5000)
    qtbot.mouseClick(panel.every, Qt.MouseButton.LeftButton)
    return panel


def test_every_layer_of_the_prune_is_there(panel):
    cells = panel.multiples.cells
    assert panel.multiples.isVisible() and not panel.figure.isVisible()
    assert [cells.index(row).data() for row in range(cells.rowCount())] == [
        "conv1.weight", "fc.weight",
    ]  # fmt: skip
    tip = cells.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "80.0 % sparse: 7 go, 28 stay, cut 3.2" in tip
    assert not cells.shown.hollow
    panel.grab()


def test_a_click_makes_a_layer_large_and_arrows_choose(qtbot, panel, workspace):
    view = panel.multiples
    place = view.visualRect(view.cells.index(1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert workspace.layer == "fc.weight"
    assert panel.figure.isVisible() and not panel.every.isChecked()
    assert panel.shown.name == "fc.weight"
    qtbot.mouseClick(panel.every, Qt.MouseButton.LeftButton)
    assert view.currentIndex().row() == 1
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert workspace.layer == "conv1.weight" and view.isVisible()
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert panel.figure.isVisible()


def test_the_selection_of_others_is_followed(panel, workspace):
    workspace.select_layer("fc.weight")
    assert panel.multiples.currentIndex().data() == "fc.weight"
    workspace.select_layer("emb.weight")
    assert panel.multiples.isVisible()  # a layer that is not pruned chooses none


def test_pictures_and_bins_of_all_layers_are_saved(panel, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert not QImage(str(tmp_path / "a.png")).isNull()
    assert (tmp_path / "a.svg").read_text().count("<polygon") >= 4
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert len(rows) == 9 and rows[5].startswith("fc.weight,")
