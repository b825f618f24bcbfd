"""The draft: valid edits pass, the others wait with a reason."""

import pytest

from app.forms.draft import Draft
from app.workspace import Workspace
from engine.recipe import Recipe, with_changes


@pytest.fixture
def workspace(qapp):
    return Workspace(Recipe())


@pytest.fixture
def draft(workspace):
    return Draft(workspace)


def test_a_valid_edit_becomes_the_recipe(workspace, draft):
    draft.edit("estimator.samples", 77)
    assert workspace.recipe.estimator.samples == 77
    assert draft.problems == {}


def test_an_invalid_edit_waits_with_a_sentence_and_the_recipe_stays(workspace, draft):
    before = workspace.recipe
    draft.edit("allocation.sparsity", 1.5)
    assert workspace.recipe is before
    assert draft.problems == {"allocation.sparsity": "It must be less than 1, not 1.5."}
    assert draft.value("allocation.sparsity") == 1.5


def test_words_where_a_number_belongs(workspace, draft):
    draft.edit("estimator.samples", "abc")
    assert draft.problems == {"estimator.samples": "It must be a whole number."}


def test_an_item_of_a_list_is_explained_at_the_list(workspace, draft):
    draft.edit("data.mean", [0.1, "x"])
    assert list(draft.problems) == ["data.mean"]


def test_two_settings_that_only_fit_together(workspace, draft):
    draft.edit("schedule.kind", "gradual")
    draft.edit("schedule.end", 9)
    assert "fine-tuning has 3" in draft.problems["schedule.end"]
    draft.edit("finetune.epochs", 12)
    assert draft.problems == {}
    assert workspace.recipe.schedule.end == 9
    assert workspace.recipe.finetune.epochs == 12


def test_a_kind_that_does_not_fit_yet_shows_its_form_and_can_be_mended_there(
    workspace, draft
):
    draft.edit("finetune.epochs", 0)
    draft.edit("schedule.kind", "gradual")
    assert "schedule.kind" in draft.problems
    assert draft.part("schedule").__name__ == "Gradual"
    assert draft.value("schedule.end") == 3
    draft.edit("schedule.end", 0)
    assert draft.problems == {}
    assert workspace.recipe.schedule.kind == "gradual"


def test_a_good_edit_beside_a_bad_one_still_counts(workspace, draft):
    draft.edit("estimator.samples", -1)
    draft.edit("machine.seed", 5)
    assert workspace.recipe.machine.seed == 5
    assert list(draft.problems) == ["estimator.samples"]


def test_changing_the_kind_drops_what_the_new_kind_does_not_have(workspace, draft):
    draft.edit("estimator.samples", "abc")
    draft.edit("estimator.kind", "magnitude")
    assert draft.problems == {}
    assert workspace.recipe.estimator.kind == "magnitude"


def test_changing_the_kind_keeps_shared_settings(workspace, draft):
    draft.edit("allocation.sparsity", 0.5)
    draft.edit("allocation.kind", "uniform")
    assert workspace.recipe.allocation.sparsity == 0.5


def test_defaults_of_a_kind_are_its_own(workspace, draft):
    draft.edit("data.kind", "cifar10")
    assert len(workspace.recipe.data.mean) == 3


def test_keystrokes_of_one_setting_are_one_undo_step(workspace, draft):
    for samples in (5, 50, 500):
        draft.edit("estimator.samples", samples)
    draft.finish()
    draft.edit("estimator.samples", 7)
    workspace.undo()
    assert workspace.recipe.estimator.samples == 500
    workspace.undo()
    assert workspace.recipe == Recipe()


def test_a_recipe_from_elsewhere_ends_the_waiting(workspace, draft):
    draft.edit("estimator.samples", "abc")
    workspace.set_recipe(with_changes(Recipe(), {"machine.seed": 3}))
    assert draft.problems == {}
    assert draft.value("estimator.samples") == 400


def test_discarding_tells_the_forms(qtbot, draft):
    draft.edit("estimator.samples", "abc")
    with qtbot.waitSignal(draft.changed):
        draft.discard()
    assert draft.problems == {}
