"""The window: from edit to run to replay, with the real engine behind it."""

import sys

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence

from app.dialogs.export import ExportDialog
from app.dialogs.trust import TrustDialog
from app.errors import ErrorDialog
from app.main_window import MainWindow
from engine.events import Evaluated, Event, Noticed, Pruned, RunFinished, RunStopped
from engine.recipe import Recipe, dump, with_changes
from engine.records.store import Store

PATIENCE = 30_000


@pytest.fixture
def seen(window):
    events = []
    window.bridge.on(Event, events.extend)
    return events


def finish_a_run(qtbot, window):
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        window.actions_.start.trigger()
    return ended.args[0]


def test_start_is_off_while_something_does_not_fit_and_says_why(window):
    start = window.actions_.start
    assert start.isEnabled()
    window.draft.edit("allocation.sparsity", 3)
    assert not start.isEnabled()
    assert "less than 1" in start.toolTip()
    window.actions_.undo.trigger()
    assert start.isEnabled()


def test_a_run_locks_the_recipe_and_offers_the_export(qtbot, window):
    states = []
    window.workspace.state_changed.connect(
        lambda state: states.append(
            (state, window.recipe_panel.forms["estimator"].isEnabled())
        )
    )
    last = finish_a_run(qtbot, window)
    assert isinstance(last, RunFinished)
    assert states == [("running", False), ("idle", True)]
    assert "Finished at 90.0 %" in window.notice.text
    assert window.actions_.export.isEnabled()
    assert window.workspace.folder.name in window.windowTitle()


def test_an_opened_run_says_what_it_said_live(qtbot, window, seen):
    finish_a_run(qtbot, window)
    folder = window.workspace.folder
    live = [e for e in seen if isinstance(e, Pruned | Evaluated | RunFinished)]
    seen.clear()
    window.workspace.set_recipe(Recipe())
    window.files.open(folder)
    qtbot.waitUntil(lambda: any(isinstance(e, RunFinished) for e in seen))
    again = [e for e in seen if isinstance(e, Pruned | Evaluated | RunFinished)]
    assert again == live
    assert window.workspace.folder == folder
    assert window.workspace.recipe.estimator.kind == "magnitude"
    assert not window.actions_.resume.isEnabled()


def test_a_stopped_run_can_be_resumed_after_opening(qtbot, window, longer):
    window.workspace.set_recipe(longer)
    window.actions_.start.trigger()
    qtbot.waitUntil(
        lambda: (
            window.workspace.folder is not None
            and any((window.workspace.folder / "states").glob("*.pt"))
        ),
        timeout=PATIENCE,
    )
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE) as ended:
        window.actions_.stop.trigger()
    assert isinstance(ended.args[0], RunStopped)
    folder = window.workspace.folder
    with qtbot.waitSignal(window.history.opened, timeout=PATIENCE):
        window.files.open(folder)
    assert "Resume" not in window.notice.text
    assert window.actions_.resume.isEnabled()
    window.actions_.resume.trigger()
    assert window.workspace.state == "running"
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        window.actions_.stop.trigger()


def test_a_run_that_never_began_cannot_be_resumed(qtbot, window, quick, tmp_path):
    lost = with_changes(quick, {"model.checkpoint": str(tmp_path / "lost.pth")})
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        window.runner.start(lost, tmp_path / "run")
    assert window.workspace.folder is None
    assert window.notice.text == ""
    assert not window.actions_.resume.isEnabled()


def test_a_start_ends_a_replay_under_way(qtbot, window, seen, quick, tmp_path):
    store = Store.create(tmp_path / "old", quick)
    for number in range(20_000):
        store.record(Noticed("info", f"old {number}"))
    store.close()
    window.files.open(tmp_path / "old")
    with qtbot.waitSignal(window.runner.run_ended, timeout=PATIENCE):
        window.actions_.start.trigger()
        seen.clear()
    old = [e for e in seen if isinstance(e, Noticed) and e.message.startswith("old")]
    assert len(old) <= 1
    assert window.workspace.folder != tmp_path / "old"


def test_a_bad_argument_is_a_message_and_the_default_recipe(
    qtbot, preferences, tmp_path
):
    window = MainWindow(preferences, tmp_path / "missing.json")
    qtbot.addWidget(window)
    window.show()
    assert "missing.json" in window.notice.text
    assert window.workspace.recipe == Recipe()
    window.close()


def test_a_dropped_recipe_is_opened(window, tmp_path):
    recipe = with_changes(Recipe(), {"machine.seed": 77})
    path = tmp_path / "dropped.json"
    path.write_text(dump(recipe))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(1, 1), Qt.DropAction.CopyAction, mime,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    assert window.workspace.recipe == recipe
    assert "dropped.json" in window.windowTitle()
    assert preferences_of(window).values.recent[0] == str(path)


def preferences_of(window):
    return window._preferences


def test_a_recipe_is_saved_as_it_is(window, tmp_path):
    path = tmp_path / "saved.json"
    window.files.save_as(path)
    assert path.read_text() == dump(window.workspace.recipe)


def test_a_recipe_that_cannot_be_saved_is_a_dialog(qtbot, window, tmp_path):
    (tmp_path / "file").touch()
    window.files.save_as(tmp_path / "file" / "saved.json")
    dialog = window.findChild(ErrorDialog)
    assert dialog.isVisible()
    dialog.reject()


def test_a_broken_checkpoint_is_said_above_the_form(qtbot, window, tmp_path):
    path = tmp_path / "empty.pth"
    path.touch()
    with qtbot.waitSignal(window.inspector.inspect_failed, timeout=PATIENCE):
        window.files.open(path)
    assert "empty.pth" in window.recipe_panel.banner.text
    with qtbot.waitSignal(window.inspector.inspected, timeout=PATIENCE):
        window.actions_.undo.trigger()
    assert window.recipe_panel.banner.text == ""


def test_trust_is_asked_once_and_loads_the_network(qtbot, window, tmp_path):
    file = tmp_path / "network.py"
    file.write_text(
        "from torch import nn\n\n\ndef build():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n"
    )
    with qtbot.waitSignal(window.inspector.trust_needed, timeout=PATIENCE):
        window.files.open(file)
    dialog = window.findChild(TrustDialog)
    assert "nn.Linear(64, 10)" in dialog.source.toPlainText()
    with qtbot.waitSignal(window.inspector.inspected, timeout=PATIENCE):
        dialog.trust.click()
    assert preferences_of(window).trusted == {dialog.digest}


def test_an_export_tells_its_verdict(qtbot, window, tmp_path):
    finish_a_run(qtbot, window)
    window.actions_.export.trigger()
    dialog = window.findChild(ExportDialog)
    dialog.out.setText(str(tmp_path / "out.pth"))
    with qtbot.waitSignal(window.runner.exported, timeout=60_000):
        dialog.go.click()
    assert "same answers" in dialog.verdict.text()
    assert "tensors" in dialog.result.text()
    dialog.out.setText(str(tmp_path / "no" / "such" / "out.pth"))
    with qtbot.waitSignal(window.runner.export_failed, timeout=PATIENCE):
        dialog.go.click()
    assert "out.pth" in dialog.banner.text
    dialog.reject()


def test_a_place_where_runs_cannot_go_is_said_before_anything_starts(
    window, preferences, tmp_path
):
    (tmp_path / "file").touch()
    preferences.change(runs=str(tmp_path / "file" / "runs"))
    window.actions_.start.trigger()
    assert window.workspace.state == "idle"
    assert str(tmp_path / "file") in window.notice.text


@pytest.mark.parametrize("answer", ["stop", "cancel"])
def test_closing_during_a_run_asks(qtbot, window, longer, monkeypatch, answer):
    monkeypatch.setattr("app.main_window.ask_to_close", lambda *_: answer)
    window.workspace.set_recipe(longer)
    window.actions_.start.trigger()
    window.close()
    assert window.isVisible()
    if answer == "cancel":
        assert window.workspace.state == "running"
        window.runner.stop()
        qtbot.waitUntil(lambda: window.workspace.state == "idle", timeout=PATIENCE)
    else:
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE)


def test_closing_during_a_look_promises_no_saved_run(qtbot, window, monkeypatch):
    told = []

    def say(looking, parent):
        told.append(looking)
        return "stop"

    monkeypatch.setattr("app.main_window.ask_to_close", say)
    window.actions_.score.trigger()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE)
    assert told == [True] and not window.runner.looking


def test_what_ends_while_the_window_asks_does_not_keep_it_open(
    qtbot, window, monkeypatch
):
    def dawdle(*_):
        qtbot.waitUntil(lambda: window.workspace.state == "idle", timeout=PATIENCE)
        return "stop"

    monkeypatch.setattr("app.main_window.ask_to_close", dawdle)
    window.actions_.score.trigger()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE)
    assert window.workspace.state == "idle"


def test_what_nobody_caught_is_shown_with_a_report(qtbot, window):
    try:
        raise ZeroDivisionError("by hand")
    except ZeroDivisionError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: window.findChild(ErrorDialog) is not None)
    dialog = window.findChild(ErrorDialog)
    assert dialog.windowTitle() == "Unexpected error"
    dialog.reject()


def test_closing_gives_the_hooks_back_and_remembers_sizes(window, preferences):
    assert sys.excepthook == window.net._on_exception
    window.close()
    assert sys.excepthook != window.net._on_exception
    assert set(preferences.values.window) == {"geometry", "columns", "rows"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_change_the_whole_window(qapp, window, theme):
    for action in window.actions_.themes.actions():
        if action.data() == theme:
            action.trigger()
    lightness = qapp.palette().window().color().lightness()
    assert (lightness < 128) == (theme == "dark")
    assert preferences_of(window).values.theme == theme


@pytest.mark.parametrize("keys", ["Ctrl+Y", "Ctrl+Shift+Z"])
def test_redo_answers_to_both_habits(window, keys):
    assert window.actions_.redo.shortcuts().count(QKeySequence(keys)) == 1
