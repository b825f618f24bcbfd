"""Schedule strip: what it draws, its handles, and changing a run that goes on."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.forms.draft import Draft
from app.forms.group import GroupForm
from app.steering.schedule.picture import picture
from engine.events import (
    Evaluated,
    LevelsPlanned,
    Pruned,
    RunStarted,
    Trained,
)
from engine.part import settings
from engine.recipe import Recipe, parse, with_changes
from tests.strips import GRADUAL, build, choose, drag, press


@pytest.fixture
def panel(qtbot, workspace, bridge, runner):
    return build(qtbot, workspace, bridge, runner)


def grips(panel):
    return {n for n, item in panel.figure.grips.items.items() if item.isVisible()}


def test_the_plan_is_what_the_engine_would_do(panel, workspace):
    recipe, shown = workspace.recipe, picture(panel.strip)
    levels = recipe.schedule.levels(0.9, 8)
    assert shown.planned == tuple((x.epoch, 100 * x.sparsity) for x in levels)
    assert shown.spans == (("Settle", 0, 1), ("Prune", 1, 5), ("Recover", 5, 8))
    epochs, rates = shown.ahead
    assert epochs[0] == 0 and epochs[-1] < 8
    expected = [recipe.finetune.rate_at(epoch) for epoch in epochs]
    assert rates == pytest.approx(expected)
    assert shown.now is None and not shown.done
    assert panel.note.text() == (
        "1 epoch to settle, then 5 prunes to 90.0 % within 4 epochs, then 3 epochs to "
        "recover."
    )


def test_a_dragged_handle_moves_the_fields_of_the_form_and_back(
    qtbot, panel, workspace
):
    groups = {setting.name: setting for setting in settings(Recipe)}
    form = GroupForm(groups["schedule"], Draft(workspace))
    qtbot.addWidget(form)
    before = workspace.recipe
    drag(qtbot, panel, "target", 7, 75)
    assert workspace.recipe.schedule.end == 7
    assert workspace.recipe.allocation.sparsity == pytest.approx(0.75, abs=0.02)
    assert form.rows["end"].editor.text() == "7 epochs"
    at = panel.figure.grips.items["target"].pos()
    assert (at.x(), at.y()) == (7, 100 * workspace.recipe.allocation.sparsity)
    workspace.undo()
    assert workspace.recipe == before
    assert panel.figure.grips.items["target"].pos().x() == 5


def test_a_field_of_the_form_moves_its_handle(panel, workspace):
    workspace.set_recipe(with_changes(workspace.recipe, {"finetune.epochs": 12}))
    assert panel.figure.grips.items["epochs"].pos().x() == 12
    assert panel.figure._plots["sparsity"].viewRange()[0][1] > 12


def test_escape_lets_go_without_a_change(qtbot, panel, workspace):
    before = workspace.recipe
    drag(qtbot, panel, "epochs", 6, 0, release=False)
    assert panel.strip.recipe.finetune.epochs == 6
    qtbot.keyClick(panel.figure, Qt.Key.Key_Escape)
    assert panel.strip.recipe == workspace.recipe == before


MOVES = (
    ("first", [Qt.Key.Key_Right, (Qt.Key.Key_Up,)], {"start": 2, "first": 0.45}),
    ("interval", [Qt.Key.Key_Right], {"interval": 2}),
    ("target", [Qt.Key.Key_Left, Qt.Key.Key_Down], {"end": 4, "sparsity": 0.895}),
    ("epochs", [(Qt.Key.Key_Right,), Qt.Key.Key_Left], {"epochs": 12}),
    ("rate", [Qt.Key.Key_Up], {"learning_rate": 0.011}),
)


@pytest.mark.parametrize(("name", "keys", "values"), MOVES)
def test_keys_move_the_active_handle_as_one_change(
    qtbot, panel, workspace, name, keys, values
):
    before = workspace.recipe
    choose(qtbot, panel, name)
    press(qtbot, panel, *keys)
    recipe = workspace.recipe
    found = {
        key: getattr(part, key)
        for part in (recipe.schedule, recipe.allocation, recipe.finetune)
        for key in values
        if hasattr(part, key)
    }
    assert found == pytest.approx(values)
    workspace.undo()
    assert workspace.recipe == before


def test_the_shape_bends_through_its_handle(qtbot, panel, workspace):
    choose(qtbot, panel, "shape")
    panel.strip.move(panel.figure.grips.active, 3, 65)
    panel.strip.release()
    assert workspace.recipe.schedule.degree == pytest.approx(1.0)  # half way: linear
    levels = [y for _, y in picture(panel.strip).planned]
    assert np.diff(levels) == pytest.approx(12.5)


def test_tab_goes_from_handle_to_handle_and_then_on(panel):
    names = [panel.figure.grips.name]
    while panel.figure.grips.choose(True):
        names.append(panel.figure.grips.name)
    assert set(names) >= {"target", "rate", "epochs"}
    while panel.figure.grips.choose(False):
        pass
    assert panel.figure.grips.name == "first"
    assert panel.text.text().startswith("First prune: after epoch 1, 40.0 % of the")


BOUNDS = (
    ("target", 20, 90, "Fine-tuning has 8 epochs", ("schedule", "end", 8)),
    ("target", 0, 90, "The first is after epoch 1", ("schedule", "end", 1)),
    ("target", 5, 110, "Something has to stay", ("allocation", "sparsity", 0.999)),
    ("first", 7, 40, "The last prune is after epoch 5", ("schedule", "start", 5)),
    ("first", 1, 99, "The target is 90.0 %", ("schedule", "first", 0.9)),
    ("epochs", 2, 0, "The last prune is after epoch 5", ("finetune", "epochs", 5)),
    ("interval", 1, 0, "at least an epoch apart", ("schedule", "interval", 1)),
    ("rate", 0, -1, "A learning rate is above 0", ("finetune", "learning_rate", 1e-9)),
)


@pytest.mark.parametrize(("name", "x", "y", "words", "held"), BOUNDS)
def test_bounds_hold_and_say_why(panel, workspace, name, x, y, words, held):
    handle = next(each for each in panel.strip.handles if each.name == name)
    panel.strip.move(handle, x, y)
    panel.strip.release()
    group, key, value = held
    assert getattr(getattr(workspace.recipe, group), key) == pytest.approx(value)
    assert words in panel.alarm.text() and panel.alarm.isVisible()


def test_a_step_schedule_has_a_handle_for_its_drop(qtbot, panel, workspace):
    drops = {"finetune.decay": "step", "finetune.decay_every": 3}
    workspace.set_recipe(with_changes(workspace.recipe, drops))
    assert panel.figure.grips.items["drop"].pos().y() == pytest.approx(0.001)
    drag(qtbot, panel, "drop", 4, 0.005)
    tuning = workspace.recipe.finetune
    assert tuning.decay_every == 4
    assert tuning.decay_factor == pytest.approx(0.5, abs=0.1)


def test_one_shot_and_no_fine_tuning(panel, workspace):
    workspace.set_recipe(Recipe())
    shown = picture(panel.strip)
    assert shown.planned == ((0, 90.0),)
    assert shown.spans == (("Prune", 0, 0), ("Recover", 0, 3))
    assert grips(panel) == {"target", "rate", "epochs"}
    workspace.set_recipe(with_changes(Recipe(), {"finetune.epochs": 0}))
    shown = picture(panel.strip)
    assert not shown.trains and panel.figure._none.isVisible()
    assert grips(panel) == {"target", "epochs"}
    assert panel.note.text() == "1 prune to 90.0 %, no recovery."
    low, high = panel.figure._plots["rate"].viewRange()[0]
    assert low <= 0 and high > 2  # room to move the end to


def test_the_strip_is_saved(panel, tmp_path):
    for name in ("a.png", "a.svg", "a.csv"):
        panel.save(tmp_path / name)
    assert "<svg" in (tmp_path / "a.svg").read_text()
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["series"] for row in rows if row["sparsity"]] == ["planned"] * 5
    assert float(rows[-1]["learning_rate"]) > 0


def test_an_old_run_is_shown_solid(send, panel, run):
    send(*run)
    shown = picture(panel.strip)
    assert shown.done == ((0.0, 50.0), (1.0, 80.0))
    assert shown.so_far[1].tolist() == [0.01, 0.005]
    assert shown.now is None


def test_a_recipe_with_amendments_foretells_them(panel, workspace):
    amendment = {
        "epoch": 2, "prunes": 2,
        "changes": {"schedule.end": 4, "finetune.learning_rate": 0.1},
    }  # fmt: skip
    workspace.set_recipe(parse({**GRADUAL, "amendments": [amendment]}))
    shown = picture(panel.strip)
    assert [x for x, _ in shown.planned] == [1, 2, 3, 4]
    assert "was changed while it went on" in panel.text.text()
    epochs, rates = shown.ahead
    assert rates[epochs < 2].max() == pytest.approx(0.01)
    tuning = workspace.recipe.amended(1).finetune
    late = epochs >= 2
    assert rates[late] == pytest.approx([tuning.rate_at(x) for x in epochs[late]])


def test_macs_are_counted_as_the_plan_counts_them(send, panel, workspace):
    macs = {"allocation.kind": "macs", "allocation.sparsity": 0.7}
    workspace.set_recipe(with_changes(workspace.recipe, macs))
    send(
        RunStarted("runs/one", "CPU", 0),
        Evaluated("dense", "test", 0.0, 0.1, 98.5, 0.0),
        LevelsPlanned((0.0, 1.0), (0.5, 0.7), 2, "multiply-accumulates"),
        Pruned(1, 2, 0.0, 0.3, 0.3, 30, ()),
        Trained(0.5, 0.6, 0.01),
    )
    shown = picture(panel.strip)
    assert shown.label == "MACs removed %" and shown.done == ((0.0, 50.0),)
