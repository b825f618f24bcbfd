"""Run, look back, branch with other settings, and go on there: all in the window."""

import pytest
from PySide6.QtCore import Qt

from app.dialogs.branch import BranchDialog
from engine.events import Branched, NodeKept, Progressed, RunFinished
from engine.records.contents import recipe_of, replay
from engine.records.timeline import nodes_of

PATIENCE = 120_000
LEFT = Qt.MouseButton.LeftButton
RECIPE = {
    "estimator": {"kind": "magnitude"},
    "schedule": {"kind": "gradual", "first": 0.5, "end": 2},
    "finetune": {"epochs": 3},
    "checks": {"images": 0},
    "machine": {"device": "cpu", "threads": 1},
}


def run(qtbot, window, click):
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        click(window.actions_.start)
    assert isinstance(ended.args[0], RunFinished)
    return window.workspace.folder


def zeros(window):
    return sum(layer.zeros for layer in window.layer_table.model.layers)


def network_zeros(qtbot, window):
    """Of the network that Weights and Classes show of the run."""
    networks = window.views.networks

    def there():
        networks.look("run")
        return networks.of("run") is not None

    qtbot.waitUntil(there, timeout=PATIENCE)
    state = networks.of("run").state
    pruned = [x.name for x in window.layer_table.model.layers if x.zeros]
    return sum(int((state[name] == 0).sum()) for name in pruned)


def test_a_moment_is_looked_at_and_branched_from(qtbot, window, click):
    views, panel = window.views, window.views.timeline
    views.setCurrentWidget(panel)
    folder = run(qtbot, window, click)
    assert [node.kind for node in panel.nodes.all][:2] == ["dense", "prune"]
    pruned = zeros(window)
    lines = window.log.model.rowCount()

    for _ in range(4):  # the end, epoch 3, prune 3, epoch 2, prune 2
        qtbot.keyClick(panel.figure, Qt.Key.Key_Left)
    node = panel.chosen[1]
    assert (node.kind, node.step) == ("prune", 2)
    qtbot.waitUntil(window.moment.isVisible, timeout=PATIENCE)
    assert "You look at prune 2 of 3" in window.moment.text.text()
    assert "Export takes the newest network" in window.moment.text.text()
    qtbot.waitUntil(lambda: 0 < zeros(window) < pruned, timeout=PATIENCE)
    share = zeros(window) / sum(
        x.weights for x in window.layer_table.model.layers if x.status == "prunable"
    )
    assert share == pytest.approx(node.sparsity)
    qtbot.waitUntil(lambda: len(views.curves.record.sparsity) == 2, timeout=PATIENCE)
    assert window.log.model.rowCount() < lines
    assert network_zeros(qtbot, window) == zeros(window)
    qtbot.mouseClick(window.moment.back, LEFT)
    qtbot.waitUntil(lambda: zeros(window) == pruned, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.log.model.rowCount() == lines, timeout=PATIENCE)
    assert not window.moment.isVisible() and panel.chosen[1].kind == "end"
    assert network_zeros(qtbot, window) == pruned

    qtbot.mouseClick(
        panel.figure.canvas.viewport(), LEFT, pos=panel.figure.place_of((0, 3))
    )
    assert window.bridge.moment is node
    window.draft.edit("allocation.sparsity", 0.95)
    qtbot.mouseClick(panel.branch, LEFT)
    (dialog,) = window.findChildren(BranchDialog)
    assert "0.9 → 0.95" in dialog.changes.text()
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        qtbot.mouseClick(dialog.start, LEFT)
    assert isinstance(ended.args[0], RunFinished)
    branch = window.workspace.folder
    assert branch == folder.parent / f"{folder.name}-branch"
    assert recipe_of(branch).allocation.sparsity == 0.95
    assert [n.state for n in nodes_of(branch)][:4] == [
        n.state for n in nodes_of(folder)
    ][:4]
    assert not window.moment.isVisible()
    assert len(views.curves.record.sparsity) == 3  # its past is on show as well
    qtbot.waitUntil(lambda: len(panel.lines) == 2, timeout=PATIENCE)
    assert panel.lines[1].folder == folder
    told = [e for e in replay(branch) if isinstance(e, Branched)]
    assert [event.node for event in told] == [3]

    with qtbot.waitSignal(window.history.opened, timeout=PATIENCE):
        window.files.open(folder)
    assert zeros(window) == pruned
    qtbot.waitUntil(lambda: len(panel.lines) == 2, timeout=PATIENCE)
    assert panel.lines[1].folder == branch


def test_a_run_goes_on_behind_the_moment_that_is_looked_at(qtbot, window, click):
    window.draft.edit("finetune.epochs", 1000)
    panel = window.views.timeline
    window.views.setCurrentWidget(panel)
    click(window.actions_.start)
    qtbot.waitUntil(lambda: len(panel.nodes.all) > 2, timeout=PATIENCE)
    qtbot.keyClick(panel.figure, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: window.bridge.moment is panel.nodes.all[0])
    qtbot.waitUntil(lambda: zeros(window) == 0, timeout=PATIENCE)
    known = len(panel.nodes.all)
    qtbot.waitUntil(lambda: len(panel.nodes.all) > known + 1, timeout=PATIENCE)
    assert zeros(window) == 0 and len(window.views.curves.record.sparsity) == 0
    assert not panel.branch.isEnabled()
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        window.runner.stop()
    assert window.moment.isVisible()
    qtbot.mouseClick(panel.newest, LEFT)
    folder = window.workspace.folder
    nodes = [e for e in replay(folder) if isinstance(e, NodeKept)]
    assert [n.state for n in panel.nodes.all] == [n.state for n in nodes]
    qtbot.waitUntil(lambda: zeros(window) > 0, timeout=PATIENCE)
    window.commands.resume()
    assert window.bridge.moment is None
    qtbot.waitUntil(lambda: len(panel.nodes.all) > len(nodes), timeout=PATIENCE)
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        window.runner.stop()
    assert not any(isinstance(e, Progressed) for e in window.bridge._told)
