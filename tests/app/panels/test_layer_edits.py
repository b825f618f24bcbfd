"""Layer table: targets, floors, ceilings and locks typed in place, warnings, filter."""

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QLineEdit

import engine
from app.panels.layer_table import LayerTablePanel
from app.preferences import Preferences
from app.steering.steering import Steering
from app.tables.bars import FORETOLD
from app.tables.layer_rows import (
    CEILING,
    CHANNELS,
    FLOOR,
    LAYER,
    MACS,
    SPARSITY,
    STABILITY,
    TARGET,
    TITLES,
)
from engine.events import LayerState, ModelLoaded, Pruned, Resampled
from engine.facts import LayerStability
from engine.recipe import parse, with_changes

Key = Qt.Key
QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture
def panel(show, send, model, preferences):
    built = show(lambda w, b: LayerTablePanel(w, b, Steering(w, b), preferences))
    send(model)
    return built


@pytest.fixture(scope="module")
def scored():
    seen = []
    study = engine.score(QUICK)
    engine.inspect(QUICK, emit=seen.append)
    return study, next(event for event in seen if isinstance(event, ModelLoaded))


@pytest.fixture
def steered(panel, workspace, send, scored):
    """The demo network, scored for real."""
    workspace.set_recipe(QUICK)
    send(scored[1])
    workspace.set_scored(QUICK, scored[0])
    return panel


def cell(panel, row, column, role=Qt.ItemDataRole.DisplayRole):
    return panel.view.proxy.index(row, column).data(role)


def select(panel, *rows, column=LAYER):
    flags = QItemSelectionModel.SelectionFlag
    panel.activateWindow()
    panel.view.setFocus()
    panel.view.clearSelection()
    for row in rows:
        index = panel.view.proxy.index(row, column)
        panel.view.selectionModel().setCurrentIndex(index, flags.NoUpdate)
        panel.view.selectionModel().select(index, flags.Select | flags.Rows)


def typed(qtbot, panel, text):
    """Keys as a person presses them, the last one Enter."""
    qtbot.keyClick(panel.view, text[0])
    editor = panel.view.findChild(QLineEdit)
    assert editor is not None and editor.text() == text[0]
    finish(qtbot, panel, text[1:])


def finish(qtbot, panel, text):
    editor = panel.view.findChild(QLineEdit)
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(lambda: panel.view.findChild(QLineEdit) is None)


def bounds(workspace):
    return workspace.recipe.allocation.floor, workspace.recipe.allocation.ceiling


def test_a_typed_number_is_the_target_of_all_selected_with_one_undo(
    qtbot, panel, workspace
):
    select(panel, 0, 1, 4)  # the embedding has no target
    typed(qtbot, panel, "62,5")
    both = {"conv1.weight": 0.625, "block.0.weight": 0.625}
    assert bounds(workspace) == (both, both)
    assert cell(panel, 1, TARGET) == "62.5 %" and cell(panel, 4, TARGET) == ""
    workspace.undo()
    assert bounds(workspace) == ({}, {})


def test_floors_and_ceilings_are_typed_in_place_and_deleted(qtbot, panel, workspace):
    select(panel, 1, column=FLOOR)
    typed(qtbot, panel, "20")
    select(panel, 1, column=CEILING)
    typed(qtbot, panel, "80 %")
    assert bounds(workspace) == ({"block.0.weight": 0.2}, {"block.0.weight": 0.8})
    assert cell(panel, 1, TARGET) == ""
    qtbot.keyClick(panel.view, Key.Key_Delete)  # the current column is the ceiling
    assert bounds(workspace) == ({"block.0.weight": 0.2}, {})
    select(panel, 1, column=LAYER)
    qtbot.keyClick(panel.view, Key.Key_Delete)  # everywhere else all of them go
    assert bounds(workspace) == ({}, {})


@pytest.mark.parametrize("wrong", ["120", "1e9", "0x"])
def test_what_is_no_sparsity_changes_nothing_and_is_said(
    qtbot, panel, workspace, wrong
):
    before = workspace.recipe
    select(panel, 0)
    typed(qtbot, panel, wrong)
    assert workspace.recipe == before
    assert "between 0 and 100" in panel.footer.note.text()


def test_a_floor_above_a_ceiling_is_refused(qtbot, panel, workspace):
    ceiling = {"allocation.ceiling": {"block.*": 0.5}}
    workspace.set_recipe(with_changes(workspace.recipe, ceiling))
    before = workspace.recipe
    select(panel, 1, column=FLOOR)
    typed(qtbot, panel, "60")
    assert workspace.recipe == before
    assert "above its ceiling of 50.0 %" in panel.footer.note.text()


def test_floors_that_a_run_would_refuse_are_said_without_a_scoring(
    qtbot, panel, workspace
):
    less = {"allocation.sparsity": 0.3}
    workspace.set_recipe(with_changes(workspace.recipe, less))
    select(panel, 0, 1, 2, 3, column=FLOOR)
    typed(qtbot, panel, "50")
    assert len(workspace.recipe.allocation.floor) == 4
    assert "more than the target of 30.0 %" in panel.footer.note.text()


def test_menu_actions_open_the_column_even_if_it_was_hidden(qtbot, panel, workspace):
    assert panel.view.isColumnHidden(FLOOR)
    select(panel, 0)
    panel.edits.sets[1].trigger()
    assert not panel.view.isColumnHidden(FLOOR)
    finish(qtbot, panel, "10")
    assert bounds(workspace) == ({"conv1.weight": 0.1}, {})
    assert not panel.view.isColumnHidden(FLOOR)
    workspace.undo()
    assert panel.view.isColumnHidden(FLOOR)


def test_a_lock_without_a_scoring_keeps_the_zeros(qtbot, panel, workspace):
    select(panel, 1, 4)
    qtbot.keyClick(panel.view, Key.Key_L)
    assert bounds(workspace) == ({"block.0.weight": 0.25}, {"block.0.weight": 0.25})
    assert "the zeros they have" in panel.footer.note.text()
    assert panel.edits.lock.text() == "Unlock"
    qtbot.keyClick(panel.view, Key.Key_L)
    assert bounds(workspace) == ({}, {})


def test_nothing_is_changed_during_a_run(qtbot, panel, workspace):
    select(panel, 0)
    workspace.set_state("running")
    before = workspace.recipe
    for key in (Key.Key_L, Key.Key_5, Key.Key_Delete):
        qtbot.keyClick(panel.view, key)
    assert panel.view.findChild(QLineEdit) is None
    assert workspace.recipe == before
    assert not any(action.isEnabled() for action in panel.edits.sets)


def test_a_lock_keeps_the_forecast_and_changes_no_other_layer(
    qtbot, steered, workspace
):
    steering = steered._steering
    before = dict(steering.forecast.zeros)
    names = [info.name for info in steered.model.layers]
    name = "layer2.0.conv2.weight"
    select(steered, names.index(name))
    steered.edits.lock.trigger()
    assert "foretold" in steered.footer.note.text()
    share = workspace.recipe.allocation.floor[name]
    assert share == pytest.approx(before[name] / 9216)
    workspace.set_recipe(with_changes(workspace.recipe, {"allocation.sparsity": 0.95}))
    assert steering.forecast.zeros[name] == before[name]
    assert (
        steering.forecast.zeros["layer3.0.conv2.weight"]
        > before["layer3.0.conv2.weight"]
    )


def test_the_forecast_is_a_hollow_bar(steered, workspace):
    rows = [info.name for info in steered.model.layers]
    share = cell(steered, rows.index("fc.weight"), SPARSITY, FORETOLD)
    assert share == pytest.approx(steered._steering.sparsity("fc.weight"))
    workspace.set_state("running")
    assert cell(steered, rows.index("fc.weight"), SPARSITY, FORETOLD) is None


def test_a_target_out_of_reach_moves_the_target_and_says_so(qtbot, steered, workspace):
    rows = [info.name for info in steered.model.layers]
    select(steered, rows.index("layer3.0.conv2.weight"))
    typed(qtbot, steered, "0")
    assert workspace.recipe.allocation.sparsity < 0.9
    assert "The target moved" in steered.footer.note.text()


def test_layers_and_channels_are_red_before_they_disappear(steered, workspace):
    assert not steered.footer.alarm.isVisible()
    floor = {"allocation.floor": {"conv1": 0.9999}}
    workspace.set_recipe(with_changes(QUICK, floor))
    text = steered.footer.alarm.text()
    assert steered.footer.alarm.isVisible() and "conv1" in text
    assert "15 of 16 output channels would be empty" in text
    assert "only its best weights would stay" in text
    assert cell(steered, 0, CHANNELS) == "15 of 16"
    red = cell(steered, 0, LAYER, Qt.ItemDataRole.ForegroundRole)
    assert red is not None
    assert "15 of 16" in cell(steered, 0, LAYER, Qt.ItemDataRole.ToolTipRole)
    workspace.undo()
    assert not steered.footer.alarm.isVisible()


def test_a_run_tells_what_has_disappeared(panel, send, model):
    states = (
        LayerState("conv1.weight", 36, 35, 35 / 36, empty=3),
        LayerState("fc.weight", 80, 40, 0.5, empty=0),
    )
    send(Pruned(1, 1, 0.0, 0.9, 0.9, 75, states))
    assert "3 of 4 output channels are empty" in panel.footer.alarm.text()
    assert "1 weight left" in panel.footer.alarm.text()
    assert "fc" not in panel.footer.alarm.text()
    send(model)  # another look at the network
    assert not panel.footer.alarm.isVisible()


def test_mask_stability_is_shown_where_a_run_has_it(panel, send, bridge):
    assert panel.view.isColumnHidden(STABILITY)
    send(Resampled(1, 8, (LayerStability("fc.weight", 0.91, 0.83),)))
    assert not panel.view.isColumnHidden(STABILITY)
    assert cell(panel, 3, STABILITY) == "91.0 %"
    tip = cell(panel, 3, STABILITY, Qt.ItemDataRole.ToolTipRole)
    assert "83.0 %" in tip
    bridge.clear()
    assert panel.view.isColumnHidden(STABILITY)


def test_columns_are_chosen_in_the_header_and_remembered(
    show, send, model, panel, preferences
):
    view = panel.view
    usual = ("Layer", "Sparsity", "Target")
    shown = [t for i, t in enumerate(TITLES) if not view.isColumnHidden(i)]
    assert tuple(shown) == usual
    for column in (MACS, CEILING, TARGET):
        view.columns.menu.actions()[column].trigger()
    again = Preferences(preferences.path)
    other = show(lambda w, b: LayerTablePanel(w, b, Steering(w, b), again))
    assert not other.view.isColumnHidden(MACS)
    assert not other.view.isColumnHidden(CEILING)
    assert other.view.isColumnHidden(TARGET)
    view.columns.reset()
    assert view.isColumnHidden(MACS) and not view.isColumnHidden(TARGET)
    assert "layers" not in preferences.values.columns


def test_nothing_is_cut_off_in_a_narrow_window(steered, workspace):
    steered.resize(390, 500)
    view, header = steered.view, steered.view.horizontalHeader()
    assert header.length() <= view.viewport().width()
    assert header.sectionSize(LAYER) >= view.sizeHintForColumn(LAYER)
    floor = {"allocation.floor": {"conv1.weight": 0.1}}
    workspace.set_recipe(with_changes(QUICK, floor))
    assert not view.isColumnHidden(FLOOR)
    assert header.length() <= view.viewport().width()
