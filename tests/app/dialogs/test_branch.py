"""The branch dialog: what it tells, and which names it takes."""

import pytest

from app.dialogs.branch import BranchDialog
from engine.recipe import Recipe, with_changes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "taken").mkdir()
    return tmp_path / "run"


def dialog(qtbot, folder, changes=None, name="run-branch"):
    own = Recipe()
    made = BranchDialog("Prune 3", folder, own, with_changes(own, changes or {}), name)
    qtbot.addWidget(made)
    return made


def test_it_tells_the_changes_and_gives_the_folder(qtbot, folder):
    made = dialog(qtbot, folder, {"allocation.sparsity": 0.95})
    assert made.moment.text() == "Prune 3"
    assert made.changes.text() == "Target, Sparsity: 0.9 → 0.95"
    with qtbot.waitSignal(made.chosen) as chosen:
        made.start.click()
    assert chosen.args == [folder.parent / "run-branch"]


def test_no_change_is_told_as_such(qtbot, folder):
    assert "exactly as the run did" in dialog(qtbot, folder).changes.text()


@pytest.mark.parametrize("name", ["", "  ", "a/b", "..", "taken"])
def test_names_that_cannot_be_are_refused_in_words(qtbot, folder, name):
    made = dialog(qtbot, folder, name=name)
    with qtbot.assertNotEmitted(made.chosen):
        made.start.click()
    assert made.banner.text
