"""Timeline: nodes appear, are walked and looked at, and a branch goes on from one."""

import csv

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QPushButton

import engine
from app.family import Family
from app.panels.curves import CurvesPanel
from app.panels.timeline import TimelinePanel
from app.plots.empty import EmptyState
from engine.events import LevelsPlanned, NodeKept, Progressed, Pruned, RunFinished
from engine.recipe import parse, with_changes
from engine.records.contents import replay

LEFT = Qt.MouseButton.LeftButton
RECIPE = {
    "estimator": {"kind": "magnitude"},
    "schedule": {"kind": "gradual", "first": 0.5, "end": 2},
    "finetune": {"epochs": 3},
    "checks": {"images": 0},
    "machine": {"device": "cpu", "threads": 1},
}
KINDS = ["dense", *["prune", "epoch"] * 3, "end"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a run and a branch of it."""
    folder = tmp_path_factory.mktemp("runs")
    engine.run(parse(RECIPE), folder / "a-run")
    recipe = with_changes(parse(RECIPE), {"allocation.sparsity": 0.95})
    engine.branch(folder / "a-run", 2, folder / "b-branch", recipe)
    engine.run(parse({**RECIPE, "finetune": {"epochs": 2}}), folder / "c-stranger")
    return folder


@pytest.fixture
def family(workspace):
    family = Family(workspace)
    yield family
    family.close()


@pytest.fixture
def panel(show, family):
    """Shown and still empty."""
    panel = show(lambda w, b: TimelinePanel(w, b, family))
    assert "Press Start" in panel.findChild(EmptyState).text
    return panel


@pytest.fixture
def opened(qtbot, panel, workspace, family, send, runs):
    """With the run in it, told from its folder."""
    with qtbot.waitSignal(family.changed, timeout=20_000):
        workspace.set_folder(runs / "a-run")
    qtbot.waitUntil(lambda: len(family.others) == 1, timeout=20_000)
    send(*(e for e in replay(runs / "a-run") if not isinstance(e, Progressed)))
    return panel


def press(qtbot, panel, *keys):
    for key in keys:
        qtbot.keyClick(panel.figure, key)


def test_nodes_come_with_the_run_and_prunes_to_come_are_hollow(panel, send, runs):
    events = [e for e in replay(runs / "a-run") if not isinstance(e, Progressed)]
    nodes = [i for i, e in enumerate(events) if isinstance(e, NodeKept)]
    send(*events[: nodes[0] + 1])
    plan = next(e for e in events if isinstance(e, LevelsPlanned))
    assert not panel.findChild(EmptyState).is_empty
    assert panel.nodes.ahead == plan.sparsities
    send(*events[nodes[0] + 1 : nodes[1] + 1])
    assert [node.kind for node in panel.nodes.all] == KINDS[:2]
    assert panel.nodes.ahead == plan.sparsities[1:]
    x, y = panel.figure._planned.getData()
    assert list(x) == [2, 3] and y[-1] == pytest.approx(90)
    brush = panel.figure._planned.opts["symbolBrush"]
    assert brush is None or brush.style() == Qt.BrushStyle.NoBrush
    send(*events[nodes[1] + 1 :])
    assert [node.kind for node in panel.nodes.all] == KINDS
    assert panel.nodes.ahead == ()


def test_sparsity_and_accuracy_are_those_that_were_measured(opened, runs):
    pruned = [e.sparsity for e in replay(runs / "a-run") if isinstance(e, Pruned)]
    x, y = opened.figure._sparsity.getData()
    assert [100 * each for each in pruned] == [y[1], y[3], y[5]]
    last = list(replay(runs / "a-run"))[-1]
    assert isinstance(last, RunFinished)
    x, y = opened.figure._accuracy["test"].getData()
    assert (x[-1], y[-1]) == (7, last.accuracy)
    assert "The end" in opened.readout.text()


def test_arrows_walk_and_every_view_follows(qtbot, opened, bridge, workspace):
    curves = CurvesPanel(workspace, bridge)
    qtbot.addWidget(curves)
    newest = opened.nodes.all[-1]
    assert opened.chosen[1] is newest
    press(qtbot, opened, *[Qt.Key.Key_Left] * 4)
    assert opened.chosen[1].node == 3 and "Prune 2 of 3" in opened.readout.text()
    assert bridge.moment is None  # a walk rests before the views follow
    qtbot.waitUntil(lambda: bridge.moment is opened.chosen[1])
    qtbot.waitSignal(bridge.drained)
    qtbot.waitUntil(lambda: len(curves.record.sparsity) == 2)
    assert opened.newest.isEnabled()
    press(qtbot, opened, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: bridge.moment is opened.nodes.all[0])
    qtbot.waitUntil(lambda: len(curves.record.sparsity) == 0)
    press(qtbot, opened, Qt.Key.Key_Left)
    assert opened.chosen[1].node == 0
    qtbot.keyClick(opened.figure, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(curves.record.sparsity) == 3)
    assert bridge.moment is None and opened.chosen[1] is newest
    assert not opened.newest.isEnabled()


def test_a_click_on_a_node_looks_at_it(qtbot, opened, bridge):
    viewport = opened.figure.canvas.viewport()
    at = opened.figure.place_of((0, 1))
    qtbot.mouseClick(viewport, LEFT, pos=at)
    assert bridge.moment is opened.nodes.all[1]
    with qtbot.waitSignal(bridge.looked):
        qtbot.mouseClick(opened.newest, LEFT)
    assert bridge.moment is None


def test_branches_beside_the_run_are_drawn_and_opened(qtbot, opened, runs, bridge):
    names = [line.folder.name for line in opened.lines]
    assert names == ["a-run", "b-branch"]  # and not the stranger
    assert opened.figure.tree.origins[1] == (0, 2)
    press(qtbot, opened, Qt.Key.Key_Down)
    line, node = opened.chosen
    assert line.folder == runs / "b-branch" and node.node == 7
    assert not opened.branch.isEnabled() and "Enter opens" in opened.readout.text()
    with qtbot.waitSignal(opened.run_wanted) as wanted:
        press(qtbot, opened, Qt.Key.Key_Return)
    assert wanted.args == [runs / "b-branch"]
    assert bridge.moment is None
    at = opened.figure.place_of((1, 4))
    assert at.y() > opened.figure.place_of((0, 4)).y()
    assert opened.figure.place_of((1, 2)) == opened.figure.place_of((0, 2))
    press(qtbot, opened, Qt.Key.Key_Escape)
    viewport = opened.figure.canvas.viewport()
    with qtbot.waitSignal(opened.run_wanted) as wanted:
        qtbot.mouseClick(viewport, LEFT, pos=at)
        twice = QEvent.Type.MouseButtonDblClick
        where = QPointF(at), QPointF(viewport.mapToGlobal(at))
        event = QMouseEvent(twice, *where, LEFT, LEFT, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(viewport, event)
        qtbot.mouseRelease(viewport, LEFT, pos=at)
    assert wanted.args == [runs / "b-branch"]


def test_a_branch_is_asked_for_while_no_run_goes_on(qtbot, opened, workspace):
    press(qtbot, opened, *[Qt.Key.Key_Left] * 2)
    workspace.set_state("running")
    assert not opened.branch.isEnabled() and "Stop the run" in opened.branch.toolTip()
    workspace.set_state("idle")
    with qtbot.waitSignal(opened.branch_wanted) as wanted:
        qtbot.mouseClick(opened.branch, LEFT)
    assert wanted.args[0] is opened.nodes.all[5]


def test_another_run_forgets_the_nodes_and_the_moment(qtbot, opened, bridge):
    press(qtbot, opened, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: bridge.moment is not None)
    bridge.clear()
    assert bridge.moment is None and opened.nodes.all == ()
    assert opened.findChild(EmptyState).is_empty


def test_a_run_that_kept_nothing_says_what_to_do(panel, workspace, runs, send):
    workspace.set_folder(runs)
    events = replay(runs / "a-run")
    send(*(e for e in events if not isinstance(e, NodeKept | Progressed)))
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Machine" in stack.text


def test_repeated_nodes_replace_what_stood_there(panel, send, runs):
    events = [e for e in replay(runs / "a-run") if isinstance(e, NodeKept)]
    send(*events[:5], *events[2:4])
    assert [node.node for node in panel.nodes.all] == [0, 1, 2, 3]


def test_timeline_is_saved(opened, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        opened.save(tmp_path / name)
    assert "<svg" in (tmp_path / "a.svg").read_text()
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    own = [row for row in rows if row["run"] == "a-run"]
    assert [row["after"] for row in own] == KINDS
    assert len(rows) == len(KINDS) + 8
    assert float(own[1]["sparsity"]) == opened.nodes.all[1].sparsity
    labels = [button.text() for button in opened.findChildren(QPushButton)]
    assert "Save…" in labels
