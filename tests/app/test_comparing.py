"""Comparing in the window: from the dialog to a table that is opened again."""

import pytest

from app.dialogs.compare import CompareDialog
from app.errors import ErrorDialog
from engine import comparison_of
from engine.comparing.cells import CellFinished, ComparisonEnded
from engine.comparing.comparison import parse_comparison
from engine.events import Event, Progressed, RunStarted
from engine.recipe import with_changes

PATIENCE = 60_000


def comparison(recipe, **changes):
    plain = {
        "recipe": recipe.model_dump(mode="json"),
        "methods": {"Magnitude": {}, "Random": {"estimator.kind": "random"}},
        "sparsities": [0.5, 0.9],
    }
    return parse_comparison({**plain, **changes})


@pytest.fixture
def seen(window):
    events = []
    window.bridge.on(Event, events.extend)
    return events


def fill(qtbot, window, spec):
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        window.comparing.start(spec)
    return ended.args[0]


def test_from_the_menu_to_a_full_table(qtbot, window, seen):
    window.actions_.compare.trigger()
    dialog = window.findChild(CompareDialog)
    dialog.sparsities.setText("30, 90")
    dialog.seeds.setText("0")
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        dialog.start.click()
        assert window.workspace.state == "running"
        assert window.views.currentWidget() is window.views.compare
    assert isinstance(ended.args[0], ComparisonEnded) and ended.args[0].done == 4
    assert "Done: all of 4 cells." in window.notice.text
    assert window.views.compare.summary.text() == "4 of 4 cells"
    assert "4 of 4 cells" in window.activity.phase.text()
    assert "Cell 4 of 4: " in "".join(
        window.log.model.index(row).data() for row in range(window.log.model.rowCount())
    )
    assert len(window.layer_table.model.layers) > 0  # the network stays on show
    assert any(isinstance(e, Progressed) for e in seen)
    assert not any(isinstance(e, RunStarted) for e in seen)
    assert window.workspace.folder is None and not window.actions_.resume.isEnabled()


def test_an_opened_comparison_shows_its_table_and_its_runs(qtbot, window, quick):
    fill(qtbot, window, comparison(quick))
    folder = window.views.compare.folder
    before = [window.views.compare.model.index(0, n).data() for n in range(2)]
    window.views.compare.model.set_cells(())
    window.workspace.set_recipe(with_changes(quick, {"allocation.sparsity": 0.4}))
    window.files.open(folder)
    assert [window.views.compare.model.index(0, n).data() for n in range(2)] == before
    assert window.workspace.recipe == quick
    assert window.views.currentWidget() is window.views.compare
    with qtbot.waitSignal(window.history.opened, timeout=PATIENCE):
        window.views.compare.view.activated.emit(window.views.compare.model.index(1, 1))
    assert window.workspace.folder == folder / "cells" / "random-0.9-0"
    assert window.views.compare.model.index(0, 0).data() == before[0]  # it stays


def test_a_stop_leaves_cells_that_can_be_filled_later(qtbot, window, quick):
    spec = comparison(quick, seeds=list(range(30)))
    window.bridge.on(CellFinished, lambda _: window.actions_.stop.trigger())
    last = fill(qtbot, window, spec)
    assert last.stopped and 1 <= last.done < 120
    assert f"{last.done} of 120 cells are done" in window.notice.text
    assert window.workspace.state == "idle"
    folder = window.views.compare.folder
    window.files.open(folder)
    assert window.notice._button.text() == "Fill the others"
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        window.notice._button.click()
    assert ended.args[0].done > last.done and window.views.compare.folder == folder


def test_pause_holds_it(qtbot, window, quick):
    window.comparing.start(comparison(quick))
    window.actions_.pause.trigger()
    qtbot.waitUntil(lambda: window.activity.phase.text().startswith("Paused"))
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        window.actions_.pause.trigger()
    assert window.views.compare.summary.text() == "4 of 4 cells"


def test_what_cannot_begin_is_said(qtbot, window, quick, tmp_path):
    broken = with_changes(quick, {"model.checkpoint": "missing.pth"})
    assert fill(qtbot, window, comparison(broken)) is None
    dialog = window.findChild(ErrorDialog)
    assert dialog is not None
    dialog.close()
    assert window.workspace.state == "idle" and window.workspace.folder is None


def test_a_broken_folder_is_a_sentence(window, tmp_path):
    (tmp_path / "compare.json").write_text("{")
    window.files.open(tmp_path)
    assert "does not hold a comparison" in window.notice.text


def test_failed_cells_are_offered_again(qtbot, window, quick):
    methods = {"Magnitude": {}, "Broken": {"model.checkpoint": "missing.pth"}}
    last = fill(qtbot, window, comparison(quick, methods=methods, sparsities=[0.5]))
    assert (last.done, last.failed) == (1, 1)
    assert "1 of 2 cells are done, 1 failed" in window.notice.text
    _, cells = comparison_of(window.views.compare.folder)
    assert "missing.pth" in cells[1].error
