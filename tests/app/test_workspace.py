"""The workspace: undo, redo, and merged changes."""

import pytest

from app.workspace import UNDO_DEPTH, Workspace
from engine.recipe import Recipe, with_changes


def seeded(seed):
    return with_changes(Recipe(), {"machine.seed": seed})


@pytest.fixture
def workspace(qapp):
    return Workspace(Recipe())


def test_undo_and_redo_walk_the_changes(workspace):
    workspace.set_recipe(seeded(1))
    workspace.set_recipe(seeded(2))
    workspace.undo()
    assert workspace.recipe == seeded(1)
    workspace.redo()
    assert workspace.recipe == seeded(2)
    assert not workspace.can_redo


def test_a_change_after_undo_ends_the_future(workspace):
    workspace.set_recipe(seeded(1))
    workspace.undo()
    workspace.set_recipe(seeded(3))
    workspace.redo()
    assert workspace.recipe == seeded(3)


def test_merged_changes_are_undone_together(workspace):
    for seed in (1, 2, 3):
        workspace.set_recipe(seeded(seed), "typing")
    workspace.set_recipe(seeded(4), "other")
    workspace.undo()
    assert workspace.recipe == seeded(3)
    workspace.undo()
    assert workspace.recipe == Recipe()
    assert not workspace.can_undo


def test_the_same_recipe_is_no_change(workspace, qtbot):
    with qtbot.assertNotEmitted(workspace.recipe_changed):
        workspace.set_recipe(Recipe())
    assert not workspace.can_undo


def test_undo_remembers_a_bounded_past(workspace):
    for seed in range(1, UNDO_DEPTH + 50):
        workspace.set_recipe(seeded(seed))
    steps = 0
    while workspace.can_undo:
        workspace.undo()
        steps += 1
    assert UNDO_DEPTH <= steps <= UNDO_DEPTH + 1


def test_undoing_nothing_is_quiet(workspace, qtbot):
    with qtbot.assertNotEmitted(workspace.recipe_changed):
        workspace.undo()
        workspace.redo()
