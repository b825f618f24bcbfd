"""The first session of a new user: the demo, from the window to a checkpoint."""

import time

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QTableView

from app.dialogs.export import ExportDialog
from engine.events import Pruned, RunFinished, Trained
from engine.recipe import Recipe

TWO_MINUTES = 120_000  # milliseconds, for everything together


def test_from_the_demo_to_an_exported_checkpoint_by_clicks(
    qtbot, window, click, tmp_path
):
    began = time.monotonic()
    seen = []
    for kind in (Trained, Pruned):
        window.bridge.on(kind, seen.extend)
    table = window.layer_table.findChild(QTableView)
    qtbot.waitUntil(lambda: table.model().rowCount() > 0, timeout=5_000)

    with qtbot.waitSignal(window.runner.run_ended, timeout=TWO_MINUTES) as ended:
        click(window.actions_.start)
        qtbot.waitUntil(lambda: seen != [], timeout=TWO_MINUTES)
        assert window.workspace.state == "running"
    assert isinstance(ended.args[0], RunFinished)
    assert ended.args[0].sparsity == pytest.approx(0.9, abs=1e-4)
    assert ended.args[0].accuracy > 95
    assert {type(event) for event in seen} == {Trained, Pruned}

    click(window.actions_.export)
    dialog = window.findChild(ExportDialog)
    out = tmp_path / "home.pth"
    dialog.out.selectAll()
    qtbot.keyClicks(dialog.out, str(out))
    with qtbot.waitSignal(window.runner.exported, timeout=TWO_MINUTES) as exported:
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert exported.args[0].difference < 1e-5
    assert dialog.verdict.isVisible()
    close = dialog.buttons.button(QDialogButtonBox.StandardButton.Close)
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert time.monotonic() - began < TWO_MINUTES / 1000

    recipe = Recipe()
    dense = recipe.model.build(recipe.data.describe(), frozenset())
    weights = torch.load(out, weights_only=True)
    dense.load_state_dict(weights, strict=True)
    zeros = sum(int((w == 0).sum()) for w in weights.values() if w.ndim > 1)
    assert zeros == pytest.approx(69_365, abs=50)


def test_pause_and_stop_by_clicks_then_resume_to_the_end(qtbot, window, click):
    window.draft.edit("finetune.epochs", 4)
    trained, act = [], window.actions_
    window.bridge.on(Trained, trained.extend)
    with qtbot.waitSignal(window.runner.run_ended, timeout=TWO_MINUTES):
        click(act.start)
        qtbot.waitUntil(lambda: trained != [], timeout=TWO_MINUTES)
        click(act.pause)
        qtbot.wait(300)
        count = len(trained)
        qtbot.wait(300)
        assert len(trained) == count  # a paused run is silent
        assert window.workspace.state == "paused"
        click(act.stop)
    assert act.resume.isEnabled() and act.start.isEnabled()
    with qtbot.waitSignal(window.runner.run_ended, timeout=TWO_MINUTES) as ended:
        click(act.resume)
    assert isinstance(ended.args[0], RunFinished)
