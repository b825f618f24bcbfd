"""The pattern in the form: its kinds, their settings, and what does not go together."""

import pytest

from app.forms.draft import Draft
from app.forms.group import GroupForm
from app.forms.words import summary
from app.workspace import Workspace
from engine.part import settings
from engine.recipe import Recipe
from tests.app.forms.test_group import choose

GROUPS = {setting.name: setting for setting in settings(Recipe)}


@pytest.fixture
def forms(qtbot):
    workspace = Workspace(Recipe())
    draft = Draft(workspace, workspace)
    found = {name: GroupForm(GROUPS[name], draft) for name in ("estimator", "pattern")}
    for form in found.values():
        qtbot.addWidget(form)
        form.show()
    return workspace, found["estimator"], found["pattern"]


def typed(qtbot, row, text):
    line = row.editor.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, text)


def test_each_pattern_brings_its_settings(qtbot, forms):
    workspace, _, pattern = forms
    assert set(pattern.rows) == {"kind"}
    choose(pattern.rows["kind"].editor, "groups")
    typed(qtbot, pattern.rows["size"], "8")
    assert workspace.recipe.pattern.size == 8
    choose(pattern.rows["kind"].editor, "n_m")
    assert set(pattern.rows) == {"kind", "kept", "group"}
    typed(qtbot, pattern.rows["kept"], "1")
    assert summary(workspace.recipe.pattern).startswith("N:M")
    assert (workspace.recipe.pattern.kept, workspace.recipe.pattern.group) == (1, 4)


def test_as_many_kept_as_there_are_waits_for_the_other_number(qtbot, forms):
    workspace, _, pattern = forms
    choose(pattern.rows["kind"].editor, "n_m")
    typed(qtbot, pattern.rows["kept"], "4")
    assert "4:4 would keep every weight" in pattern.rows["kept"].error.text()
    assert workspace.recipe.pattern.kept == 2
    typed(qtbot, pattern.rows["group"], "8")
    assert pattern.rows["kept"].error.isHidden()
    assert (workspace.recipe.pattern.kept, workspace.recipe.pattern.group) == (4, 8)


def test_greedy_order_and_groups_say_that_they_do_not_go_together(forms):
    workspace, estimator, pattern = forms
    choose(estimator.rows["order"].editor, "greedy")
    choose(pattern.rows["kind"].editor, "groups")
    assert "unstructured pattern" in pattern.rows["kind"].error.text()
    assert workspace.recipe.pattern.kind == "unstructured"
    choose(estimator.rows["order"].editor, "independent")
    assert pattern.rows["kind"].error.isHidden()
    assert workspace.recipe.pattern.kind == "groups"
