"""The forms: generated for every part, and in step with the recipe."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from app.forms.draft import Draft
from app.forms.group import GroupForm
from app.forms.words import summary
from app.workspace import Workspace
from engine.part import settings
from engine.recipe import Recipe, with_changes

GROUPS = {setting.name: setting for setting in settings(Recipe)}


@pytest.fixture
def workspace(qapp):
    return Workspace(Recipe())


@pytest.fixture
def form(qtbot, workspace):
    def build(group):
        draft = Draft(workspace, workspace)
        form = GroupForm(GROUPS[group], draft)
        qtbot.addWidget(form)
        form.show()
        return form

    return build


def choose(editor, value):
    """What a click in the open list does."""
    index = editor.findData(value)
    editor.setCurrentIndex(index)
    editor.activated.emit(index)


@pytest.mark.parametrize("group", GROUPS)
def test_every_kind_of_every_group_has_a_complete_form(form, workspace, group):
    for part in GROUPS[group].choices:
        if len(GROUPS[group].choices) > 1:
            kind = part.model_fields["kind"].default
            changes = {f"{group}.kind": kind}
            workspace.set_recipe(with_changes(workspace.recipe, changes))
        page = form(group)
        for setting in settings(part):
            row = page.rows[setting.name]
            assert row.editor.toolTip() or setting.path
            assert row.error.isHidden()


def test_typing_changes_the_recipe_at_once(qtbot, form, workspace):
    line = form("estimator").rows["damping"].editor.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "3e-4")
    assert workspace.recipe.estimator.damping == 3e-4


def test_the_reason_stands_under_the_field_until_it_is_mended(qtbot, form):
    row = form("allocation").rows["sparsity"]
    line = row.editor.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "7")
    assert row.error.isVisible()
    assert row.error.text() == "It must be less than 1, not 7.0."
    line.selectAll()
    qtbot.keyClicks(line, "0.7")
    assert not row.error.isVisible()


def test_another_kind_brings_its_form_and_keeps_shared_values(form, workspace):
    workspace.set_recipe(with_changes(Recipe(), {"schedule.recomputations": 4}))
    page = form("schedule")
    assert "interval" not in page.rows
    choose(page.rows["kind"].editor, "gradual")
    assert "interval" in page.rows
    assert page.rows["recomputations"].editor.read() == 4


def test_undo_and_redo_refresh_the_form(form, workspace):
    page = form("estimator")
    choose(page.rows["compensation"].editor, "joint")
    choose(page.rows["kind"].editor, "magnitude")
    workspace.undo()
    assert page.rows["compensation"].editor.currentData() == "joint"
    workspace.undo()
    assert page.rows["compensation"].editor.currentData() == "sum"
    workspace.redo()
    assert page.rows["compensation"].editor.currentData() == "joint"


def test_a_tick_changes_a_bool(qtbot, form, workspace):
    box = form("model").rows["partial"].editor
    box.click()
    assert workspace.recipe.model.partial is True


def test_rare_settings_are_folded_until_asked_for(qtbot, form):
    page = form("finetune")
    momentum = page.rows["momentum"]
    assert not momentum.isVisible()
    button = page.findChild(QToolButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert momentum.isVisible()


def test_what_sets_a_kind_apart_comes_first(form, workspace):
    workspace.set_recipe(with_changes(Recipe(), {"data.kind": "image_folder"}))
    assert list(form("data").rows)[:2] == ["kind", "folder"]


def test_a_summary_names_kind_leading_number_and_changes():
    recipe = with_changes(Recipe(), {"estimator.compensation": "joint"})
    text = summary(recipe.estimator)
    assert text.startswith("WoodFisher")
    assert "400" in text
    assert "Compensation joint" in text
    assert "Damping" not in text
