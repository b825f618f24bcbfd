"""Score, drag, start: a run prunes as the drag has promised."""

import pytest
from PySide6.QtCore import Qt

from app.plots.cuts import ALL
from engine.events import Pruned, RunFinished, Scored
from engine.recipe import parse

PATIENCE = 60_000
RECIPE = {
    "estimator": {"kind": "woodfisher", "samples": 60, "block_size": 500},
    "allocation": {"sparsity": 0.8, "exclude": ["fc"]},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}


@pytest.mark.parametrize("kind", ["global", "uniform", "macs"])
def test_a_run_prunes_as_the_drag_has_promised(qtbot, window, click, kind):
    window.draft.edit("allocation.kind", kind)
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        click(window.actions_.score)
    panel = window.views.thresholds
    assert window.views.currentWidget() is panel
    assert not list(window._preferences.runs.glob("*"))
    steering = panel.steering
    if kind != "uniform":
        steering.drag(ALL, steering.common / 3)
        steering.release()
    steering.drag("conv1.weight", steering.cut("conv1.weight") * 4)
    steering.release()
    steering.set_share("layer2.0.conv1.weight", 0.55)
    steering.release()
    promised = dict(steering.forecast.zeros)
    assert "fc.weight" not in promised
    seen = []
    for event in (Scored, Pruned):
        window.bridge.on(event, seen.extend)
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        click(window.actions_.start)
    assert isinstance(ended.args[0], RunFinished)
    pruned = next(event for event in seen if isinstance(event, Pruned))
    assert {layer.name: layer.zeros for layer in pruned.layers} == promised
    assert promised["layer2.0.conv1.weight"] == round(0.55 * 4608)
    assert panel.steps.currentText() == "Prune 1"
    assert panel.steps.itemText(0) == "Next prune"  # the run's own scoring
    for _ in range(2 + (kind != "uniform")):
        window.actions_.undo.trigger()
    assert window.workspace.recipe == parse(
        {**RECIPE, "allocation": {**RECIPE["allocation"], "kind": kind}}
    )


@pytest.mark.parametrize("by_key", [False, True])
def test_start_takes_the_number_that_is_being_typed(qtbot, window, click, by_key):
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        click(window.actions_.score)
    field = window.views.thresholds.next.bar.fields[ALL]
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClicks(field, "70")  # and no Enter
    assert window.workspace.recipe.allocation.sparsity == 0.8
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        if by_key:
            qtbot.keyClick(field, Qt.Key.Key_F5)
        else:
            click(window.actions_.start)
    assert ended.args[0].sparsity == pytest.approx(0.7, abs=1e-3)
