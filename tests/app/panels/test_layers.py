"""Layers panel: bars, selection, few and many layers."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QPushButton

from app.panels.layers import LayersPanel
from app.plots.empty import EmptyState
from app.plots.export import PICTURES, SCALE, TABLES
from app.tables.bars import FRACTION
from engine.events import LayerInfo, LayerState, ModelLoaded, Pruned


def fractions(panel):
    model = panel.model
    return [model.index(row).data(FRACTION) for row in range(model.rowCount())]


def test_zeros_that_the_network_brings_show_before_any_prune(show, send, model):
    panel = show(LayersPanel)
    assert panel.findChild(EmptyState).is_empty
    send(model)
    assert not panel.findChild(EmptyState).is_empty
    assert fractions(panel) == [0.0, 0.25, 0.0, 0.0]  # the embedding is not prunable
    assert "72 of 980 weights zero, before pruning" in panel.summary.text()


def test_prunes_move_the_bars_and_clearing_empties_them(show, send, run, bridge):
    panel = show(LayersPanel)
    send(*run)
    assert fractions(panel) == [0.8] * 4
    assert "80.0 % overall" in panel.summary.text()
    assert "after prune 2 of 2" in panel.summary.text()
    bridge.clear()
    assert panel.model.rowCount() == 0 and panel.findChild(EmptyState).is_empty


def test_a_click_selects_the_layer_for_every_view(qtbot, show, send, model, workspace):
    panel = show(LayersPanel)
    send(model)
    where = panel.view.visualRect(panel.model.index(2)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert workspace.layer == "block.1.weight"
    workspace.select_layer("fc.weight")
    assert panel.view.currentIndex().row() == 3
    workspace.select_layer("emb.weight")  # has no bar
    assert not panel.view.selectedIndexes()


def test_the_selection_survives_a_prune(show, send, run, workspace):
    panel = show(LayersPanel)
    send(run[1])
    workspace.select_layer("block.0.weight")
    send(run[5])
    assert panel.view.currentIndex().data() == "block.0"
    assert workspace.layer == "block.0.weight"


def test_a_network_without_prunable_layers_says_so(show, send, model):
    panel = show(LayersPanel)
    send(ModelLoaded("none", model.layers[-1:], 20, 0))
    assert panel.findChild(EmptyState).is_empty
    assert "No layer" in panel.findChild(EmptyState).text


@pytest.mark.parametrize("layers", [3, 160])
def test_few_and_many_layers_fit(show, send, layers, workspace):
    panel = show(LayersPanel)
    infos = tuple(
        LayerInfo(f"a.{i}.weight", "Conv2d", (8, 8), 64, 64, 0, "prunable")
        for i in range(layers)
    )
    states = tuple(LayerState(i.name, 64, 32, 0.5) for i in infos)
    send(
        ModelLoaded("net", infos, 64 * layers, 64), Pruned(1, 1, 0, 0.5, 0.5, 1, states)
    )
    last = panel.model.index(layers - 1)
    workspace.select_layer(infos[-1].name)
    assert panel.view.viewport().rect().intersects(panel.view.visualRect(last))
    assert panel.view.verticalScrollBar().isVisible() == (layers == 160)


def test_a_row_says_its_counts(show, send, run):
    panel = show(LayersPanel)
    send(*run)
    tip = panel.model.index(1).data(Qt.ItemDataRole.ToolTipRole)
    assert "block.0.weight" in tip and "230 of 288" in tip and "saliency" in tip
    states = tuple(replace(s, threshold=None) for s in panel.model.layers)
    panel.model.set_layers(states)
    assert "saliency" not in panel.model.index(1).data(Qt.ItemDataRole.ToolTipRole)


def test_every_bar_is_saved_whether_there_is_room_or_not(
    qtbot, show, send, run, tmp_path, monkeypatch
):
    panel = show(LayersPanel)
    send(*run)
    panel.resize(400, 90)
    answers = [(str(tmp_path / "a.png"), PICTURES), (str(tmp_path / "a.csv"), TABLES)]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answers.pop(0))
    button = next(b for b in panel.findChildren(QPushButton) if b.text() == "Save…")
    for _ in range(2):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    height = QImage(str(tmp_path / "a.png")).height()
    assert height >= SCALE * 4 * panel.view.sizeHintForRow(0)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "layer,weights,zeros,sparsity,threshold"
    names = [layer.name for layer in panel.model.layers]
    assert [line.split(",")[0] for line in lines[1:]] == names
    assert lines[1].split(",")[3] == "0.8"
    panel.save(tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text()
