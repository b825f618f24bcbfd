"""Layer table panel: contents, excluding by click, selection, copying."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.panels.layer_table import LayerTablePanel
from app.plots.empty import EmptyState
from app.steering.steering import Steering
from app.tables.bars import FRACTION
from app.tables.checkpoint import CheckpointReport
from app.tables.layer_rows import (
    CEILING,
    FLOOR,
    LAYER,
    SPARSITY,
    STATUS,
    TARGET,
    TITLES,
    WEIGHTS,
    ZEROS,
)
from app.tables.units import shape
from engine.events import CheckpointLoaded, LayerInfo, ModelLoaded
from engine.recipe import with_changes

SHAPE = shape((8, 4, 3, 3))
CHECKED, UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


@pytest.fixture
def panel(show, send, model, preferences):
    built = show(lambda w, b: LayerTablePanel(w, b, Steering(w, b), preferences))
    send(model)
    return built


def cell(panel, row, column, role=Qt.ItemDataRole.DisplayRole):
    return panel.view.proxy.index(row, column).data(role)


def click_box(qtbot, panel, row):
    """Click into the check box of a row, where the style draws it."""
    view = panel.view
    index = view.proxy.index(row, LAYER)
    option = QStyleOptionViewItem()
    view.initViewItemOption(option)
    option.rect = view.visualRect(index)
    option.features |= QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    part = QStyle.SubElement.SE_ItemViewItemCheckIndicator
    box = view.style().subElementRect(part, option, view)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())


def select(panel, *rows):
    flags = QItemSelectionModel.SelectionFlag
    panel.activateWindow()
    panel.view.setFocus()
    panel.view.clearSelection()
    for row in rows:
        index = panel.view.proxy.index(row, LAYER)
        panel.view.selectionModel().select(index, flags.Select | flags.Rows)


def excluded(workspace):
    return workspace.recipe.allocation.exclude


def exclude(workspace, *patterns):
    change = {"allocation.exclude": list(patterns)}
    workspace.set_recipe(with_changes(workspace.recipe, change))


def test_every_layer_is_listed_with_what_it_is(panel):
    assert panel.view.proxy.rowCount() == 5
    row = [cell(panel, 1, column) for column in range(len(TITLES))]
    assert row == [
        "block.0", "25.0 %", "", "", "", "", "", "",
        "Conv2d", SHAPE, "288", "18.4 k", "72", "Prunable",
    ]  # fmt: skip
    assert cell(panel, 4, STATUS) == "Unsupported"
    assert "No input." in cell(panel, 4, STATUS, Qt.ItemDataRole.ToolTipRole)
    assert cell(panel, 4, LAYER, Qt.ItemDataRole.CheckStateRole) is None
    words = panel.footer.totals.text()
    for part in ("5 layers", "1 k parameters", "980 prunable in 4", "72 zero (7.3 %)"):
        assert part in words


def test_it_is_empty_before_and_after(show, bridge, panel, workspace):
    assert not panel.findChild(EmptyState).is_empty
    bridge.clear()
    assert panel.findChild(EmptyState).is_empty and panel.view.proxy.rowCount() == 0
    assert not panel.edits.toggle.isEnabled()


def test_prunes_are_live(panel, send, run):
    send(run[5])
    assert cell(panel, 2, ZEROS) == "288" and cell(panel, 2, SPARSITY) == "50.0 %"
    assert "490 zero (50.0 %)" in panel.footer.totals.text()


def test_a_click_on_the_box_excludes_and_includes(qtbot, panel, workspace):
    assert cell(panel, 0, LAYER, Qt.ItemDataRole.CheckStateRole) == CHECKED
    click_box(qtbot, panel, 0)
    assert excluded(workspace) == ("conv1.weight",)
    assert cell(panel, 0, STATUS) == "Excluded"
    assert cell(panel, 0, LAYER, Qt.ItemDataRole.CheckStateRole) == UNCHECKED
    assert "944 prunable in 3" in panel.footer.totals.text()
    click_box(qtbot, panel, 0)
    assert excluded(workspace) == ()
    workspace.undo()
    assert cell(panel, 0, STATUS) == "Excluded"


def test_a_pattern_gives_way_to_the_names_it_still_means(qtbot, panel, workspace):
    exclude(workspace, "block.*", "fc.weight")
    assert [cell(panel, row, STATUS) for row in range(4)] == [
        "Prunable", "Excluded", "Excluded", "Excluded",
    ]  # fmt: skip
    assert "block.*" in cell(panel, 1, STATUS, Qt.ItemDataRole.ToolTipRole)
    click_box(qtbot, panel, 1)
    assert excluded(workspace) == ("block.1.weight", "fc.weight")


def test_a_module_name_means_all_weights_below_it(qtbot, panel, workspace):
    exclude(workspace, "block")
    assert [cell(panel, row, STATUS) for row in (1, 2)] == ["Excluded", "Excluded"]
    click_box(qtbot, panel, 2)
    assert excluded(workspace) == ("block.0.weight",)


def test_what_the_engine_always_excludes_has_no_box(qtbot, panel, send, workspace):
    norm = LayerInfo(
        "bn.weight", "BatchNorm2d", (4,), 4, 0, 0, "excluded",
        "normalisation is never pruned",
    )  # fmt: skip
    mine = replace(norm, name="a.weight", reason="excluded by a.*")
    tied = replace(norm, name="b.weight", reason="excluded by other")
    exclude(workspace, "other")
    send(ModelLoaded("net", (norm, mine, tied), 12, 0))
    assert [cell(panel, row, STATUS) for row in range(3)] == [
        "Excluded", "Prunable", "Excluded",
    ]  # fmt: skip
    assert cell(panel, 0, LAYER, Qt.ItemDataRole.CheckStateRole) is None
    assert cell(panel, 0, SPARSITY, FRACTION) is None
    tip = cell(panel, 0, STATUS, Qt.ItemDataRole.ToolTipRole)
    assert tip == "bn.weight\nNormalisation is never pruned"
    select(panel, 0)
    assert not panel.edits.toggle.isEnabled()


def test_several_rows_toggle_together_with_one_undo(qtbot, panel, workspace):
    select(panel, 0, 2, 4)  # the embedding cannot be toggled
    assert panel.edits.toggle.isEnabled() and panel.edits.toggle.text() == "Exclude"
    qtbot.keyClick(panel.view, Qt.Key.Key_Space)
    assert excluded(workspace) == ("conv1.weight", "block.1.weight")
    assert panel.edits.toggle.text() == "Include"
    panel.edits.toggle.trigger()
    assert excluded(workspace) == ()
    workspace.undo()
    assert len(excluded(workspace)) == 2


@pytest.mark.parametrize("state", ["running", "paused", "stopping"])
def test_nothing_can_be_excluded_during_a_run(qtbot, panel, workspace, state):
    select(panel, 0)
    workspace.set_state(state)
    assert not panel.edits.toggle.isEnabled()
    click_box(qtbot, panel, 0)
    qtbot.keyClick(panel.view, Qt.Key.Key_Space)
    assert excluded(workspace) == ()
    workspace.set_state("idle")
    click_box(qtbot, panel, 0)
    assert excluded(workspace) == ("conv1.weight",)


def test_the_selection_meets_in_the_workspace(qtbot, panel, workspace):
    where = panel.view.visualRect(panel.view.proxy.index(2, TARGET)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert workspace.layer == "block.1.weight"
    workspace.select_layer("fc.weight")
    assert panel.view.selected() == ["fc.weight"]


def test_the_selection_outlives_another_look_at_the_same_network(panel, send, model):
    select(panel, 1, 3)
    send(model)
    assert panel.view.selected() == ["block.0.weight", "fc.weight"]


def test_a_layer_of_another_network_is_no_longer_selected(
    panel, send, model, workspace
):
    workspace.select_layer("fc.weight")
    renamed = tuple(replace(info, name=f"x.{info.name}") for info in model.layers)
    send(ModelLoaded("other", renamed, 1, 1))
    assert workspace.layer == ""


def test_headers_sort_and_the_filter_filters(qtbot, panel):
    panel.view.sortByColumn(WEIGHTS, Qt.SortOrder.DescendingOrder)
    assert [cell(panel, row, WEIGHTS) for row in range(5)] == [
        "576", "288", "80", "36", "20",
    ]  # fmt: skip
    qtbot.keyClicks(panel.filter.line, "BLOCK")
    assert [cell(panel, row, LAYER) for row in range(2)] == ["block.1", "block.0"]
    assert panel.view.proxy.rowCount() == 2
    click_box(qtbot, panel, 0)
    assert cell(panel, 0, STATUS) == "Excluded"


def test_rows_are_copied_with_exact_numbers(qtbot, panel):
    select(panel, 1, 3)
    panel.view.copy.trigger()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == list(TITLES)
    assert lines[1].split("\t") == [
        "block.0.weight", "0.25", "", "", "", "", "", "",
        "Conv2d", SHAPE, "288", "18432", "72", "prunable",
    ]  # fmt: skip
    assert len(lines) == 3


def test_the_checkpoint_report_opens_in_full(qtbot, panel, send, bridge):
    assert not panel.footer.checkpoint.isVisible()
    renamed = tuple(f"module.{i} -> {i}" for i in range(300))
    send(CheckpointLoaded("net.pth", 125, renamed, missing=("fc.bias",)))
    assert (
        "Checkpoint: 125 matched, 300 renamed, 1 missing"
        in panel.footer.checkpoint.text()
    )
    height = panel.footer.checkpoint.height() // 2
    qtbot.mouseClick(
        panel.footer.checkpoint, Qt.MouseButton.LeftButton, pos=QPoint(20, height)
    )
    report = panel.findChild(CheckpointReport)
    text = report.text.toPlainText()
    assert report.isVisible() and report.text.isReadOnly()
    assert all(name in text for name in renamed) and "fc.bias" in text
    report.reject()
    bridge.clear()
    assert not panel.footer.checkpoint.isVisible()


def test_the_link_has_the_colour_of_the_theme(qtbot, panel, send):
    send(CheckpointLoaded("net.pth", 5, (), (), (), ()))
    changed = panel.footer.palette()
    changed.setColor(QPalette.ColorRole.Link, QColor("#5aa9ff"))
    panel.footer.setPalette(changed)
    assert "#5aa9ff" in panel.footer.checkpoint.text()


def test_overrides_have_a_column_a_count_and_a_way_back(qtbot, panel, workspace):
    own = {"fc.weight": 0.25}
    changes = {"allocation.floor": {**own, "conv1": 0.1}, "allocation.ceiling": own}
    workspace.set_recipe(with_changes(workspace.recipe, changes))
    shown = [[cell(panel, row, c) for c in (TARGET, FLOOR, CEILING)] for row in (0, 3)]
    assert shown == [["", "(10.0 %)", ""], ["25.0 %", "25.0 %", "25.0 %"]]
    assert "1 overridden" in panel.footer.totals.text()
    select(panel, 0)
    assert not panel.edits.clear.isEnabled()  # a pattern is not its own
    select(panel, 0, 3)
    assert panel.edits.clear.isEnabled() and panel.edits.clear in panel.view.actions()
    panel.edits.clear.trigger()
    allocation = workspace.recipe.allocation
    assert allocation.floor == {"conv1": 0.1} and allocation.ceiling == {}
    assert not panel.edits.clear.isEnabled()
    workspace.undo()
    assert "1 overridden" in panel.footer.totals.text()
    select(panel, 3)
    workspace.set_state("running")
    assert not panel.edits.clear.isEnabled()


def test_expressions_filter_and_a_broken_one_filters_nothing(qtbot, panel):
    rows = panel.view.proxy.rowCount
    qtbot.keyClicks(panel.filter.line, "k.1.w")
    assert rows() == 1
    panel.filter.line.setText("(conv1|fc)$")
    assert rows() == 0
    panel.filter.expression.click()
    assert rows() == 2
    panel.view.sortByColumn(WEIGHTS, Qt.SortOrder.DescendingOrder)
    assert [cell(panel, row, LAYER) for row in (0, 1)] == ["fc", "conv1"]
    panel.filter.line.setText("(conv1")
    assert rows() == 5 and panel.filter.problem.isVisible()
    assert "Not a regular expression" in panel.filter.problem.text()
    assert cell(panel, 0, LAYER) == "block.1"  # still sorted
    panel.filter.line.setText("unsupp")
    assert rows() == 1 and not panel.filter.problem.isVisible()
