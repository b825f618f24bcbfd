"""The preferences: whole files, broken files, and the dialog."""

import json

import pytest
from pydantic import ValidationError

from app.dialogs.preferences import PreferencesDialog
from app.preferences import RECENT, Preferences


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config" / "preferences.json"


def test_changes_are_there_next_time(path):
    Preferences(path).change(theme="dark")
    assert Preferences(path).values.theme == "dark"


def test_without_a_file_everything_is_default_and_nothing_is_written(path):
    preferences = Preferences(path)
    assert preferences.values.theme == "system"
    assert preferences.problem == ""
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00", '"x"', "[" * 100_000])
def test_a_corrupt_file_is_said_and_survived(path, content):
    path.parent.mkdir()
    path.write_text(content)
    preferences = Preferences(path)
    assert preferences.values.theme == "system"
    assert "unreadable" in preferences.problem
    preferences.change(theme="dark")
    assert Preferences(path).problem == ""


def test_one_bad_value_does_not_cost_the_others(path):
    path.parent.mkdir()
    path.write_text(json.dumps({"theme": "dark", "recent": 3, "unknown": 1}))
    preferences = Preferences(path)
    assert preferences.values.theme == "dark"
    assert preferences.values.recent == ()
    assert "ignored" in preferences.problem


def test_a_failed_write_leaves_the_old_file_and_no_litter(path, monkeypatch):
    preferences = Preferences(path)
    preferences.change(theme="dark")
    before = path.read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.records.whole.os.replace", full)
    preferences.change(theme="light")
    assert path.read_text() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert "No space left" in preferences.problem


def test_a_value_that_does_not_fit_changes_nothing(path):
    preferences = Preferences(path)
    with pytest.raises(ValidationError):
        preferences.change(theme="pink")
    assert preferences.values.theme == "system"


def test_trust_is_remembered_by_content(path):
    Preferences(path).trust("abc")
    assert Preferences(path).trusted == {"abc"}


def test_recent_things_are_few_and_newest_first(path, tmp_path):
    preferences = Preferences(path)
    for number in (*range(RECENT + 3), 0):
        preferences.remember(tmp_path / str(number))
    assert len(preferences.values.recent) == RECENT
    assert preferences.values.recent[0] == str(tmp_path / "0")


def test_the_runs_folder_can_be_chosen(path, tmp_path):
    preferences = Preferences(path)
    assert preferences.runs.parts[-2:] == ("Secateur", "runs")
    preferences.change(runs=str(tmp_path))
    assert preferences.runs == tmp_path


def test_the_folder_is_made(tmp_path):
    Preferences(tmp_path / "a" / "b.json").change(runs=str(tmp_path))
    assert Preferences(tmp_path / "a" / "b.json").runs == tmp_path


def test_the_dialog_applies_when_accepted_only(qtbot, path, tmp_path):
    preferences = Preferences(path)
    for accept in (False, True):
        dialog = PreferencesDialog(preferences)
        qtbot.addWidget(dialog)
        qtbot.keyClicks(dialog.rows["runs"].editor.line, str(tmp_path))
        if accept:
            dialog.accept()
        else:
            dialog.reject()
        assert (preferences.runs == tmp_path) is accept
