"""Start, change what is left, and run the recorded recipe anew: the same masks."""

import json

import pytest
from PySide6.QtCore import Qt

from engine.__main__ import main
from engine.events import RunFinished, RunPaused, Trained
from tests.strips import choose, hold_at, press

PATIENCE = 120_000
RECIPE = {
    "estimator": {"kind": "woodfisher", "samples": 24, "block_size": 200},
    "allocation": {"sparsity": 0.7},
    "schedule": {"kind": "gradual", "first": 0.3, "start": 0, "end": 2},
    "finetune": {"epochs": 3, "batch": 64},
    "checks": {"images": 0},
    "machine": {"device": "cpu", "threads": 1},
}


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_an_amended_run_is_replayed_without_a_window(
    qtbot, window, click, tmp_path, monkeypatch
):
    act, panel = window.actions_, window.views.schedule
    window.views.setCurrentWidget(panel)
    seen, ended = [], []
    window.bridge.on(RunPaused, seen.extend)
    hold_at(monkeypatch, window.bridge, window.runner, Trained)
    window.runner.run_ended.connect(ended.append)
    click(act.start)
    qtbot.waitUntil(lambda: bool(seen), timeout=PATIENCE)
    click(act.pause)
    choose(qtbot, panel, "target")
    up = (Qt.Key.Key_Up,)
    press(qtbot, panel, up, up, Qt.Key.Key_Right, Qt.Key.Key_Return)  # 80 %, epoch 3
    choose(qtbot, panel, "rate")
    press(qtbot, panel, Qt.Key.Key_Down, Qt.Key.Key_Return)
    click(act.pause)
    qtbot.waitUntil(lambda: bool(ended), timeout=PATIENCE)
    assert isinstance(ended[0], RunFinished)
    folder = window.workspace.folder
    told = summary(folder)
    assert told["sparsity"] == pytest.approx(0.8, abs=1e-3)
    keys = [set(each["changes"]) for each in told["amendments"]]
    assert keys == [{"allocation.sparsity", "schedule.end"}, {"finetune.learning_rate"}]

    words = ["run", str(folder / "recipe.json"), "--out", str(tmp_path / "again")]
    assert main(words) == 0
    again = summary(tmp_path / "again")
    assert again["mask_sha256"] == told["mask_sha256"]
    assert again["final"] == told["final"]
    assert again["amendments"] == told["amendments"]

    window.files.open(folder)  # and it is shown as it was
    qtbot.waitUntil(lambda: panel.strip.course.over, timeout=PATIENCE)
    assert panel.strip.course.done[-1] == (3.0, pytest.approx(0.8, abs=1e-3))
    assert panel.forget.isVisible()
