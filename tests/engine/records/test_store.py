"""Run folders: whole files, rotation, replay, locks."""

import os

import pytest
import torch

from engine.errors import InputError, RunError
from engine.events import Noticed, RunStarted, RunStopped
from engine.recipe import Recipe
from engine.records import contents, whole
from engine.records.store import Store


@pytest.fixture
def opened(tmp_path):
    opened = Store.create(tmp_path / "run", Recipe())
    yield opened
    opened.close()


def test_a_new_folder_holds_the_recipe(opened):
    assert contents.recipe_of(opened.folder) == Recipe()


def test_events_come_back_in_order(opened):
    sent = [RunStarted("x", "cpu", 0), Noticed("info", "Größe ✓"), RunStopped(time=2.0)]
    for event in sent:
        opened.record(event)
    assert list(contents.replay(opened.folder)) == sent


def test_a_line_cut_short_is_left_out_and_then_replaced(opened):
    opened.record(Noticed("info", "whole"))
    opened.close()
    log = opened.folder / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'{"event":"Noti')
    assert [e.message for e in contents.replay(opened.folder)] == ["whole"]
    again = Store.open(opened.folder)
    again.record(Noticed("info", "next"))
    again.close()
    assert [e.message for e in contents.replay(opened.folder)] == ["whole", "next"]


def test_states_rotate_and_a_broken_one_falls_back_to_the_one_before(opened):
    for number in range(5):
        opened.save_state({"number": number, "model": {"t": torch.ones(2)}})
    files = sorted((opened.folder / "states").iterdir())
    assert len(files) == 2
    assert contents.newest_state(opened.folder)["number"] == 4
    files[-1].write_bytes(files[-1].read_bytes()[:50])
    assert contents.newest_state(opened.folder)["number"] == 3
    torch.save([1], files[-1])
    assert contents.newest_state(opened.folder)["number"] == 3


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "file"
    whole.write(path, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        whole.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_log_that_cannot_be_written_is_one_sentence(opened):
    (opened.folder / "events.jsonl").mkdir()
    with pytest.raises(RunError, match="Cannot write"):
        opened.record(RunStopped())


def test_a_run_folder_that_cannot_be_locked_is_refused(opened):
    opened.close()
    (opened.folder / ".lock").unlink()
    (opened.folder / ".lock").mkdir()
    with pytest.raises(InputError, match="Cannot write to"):
        Store.open(opened.folder)
    (opened.folder / ".lock").rmdir()


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(InputError, match="too long"):
        Store.check(tmp_path / ("x" * 300))


def test_a_second_run_cannot_write_to_the_same_folder(opened):
    with pytest.raises(InputError, match="Another run"):
        Store.open(opened.folder)


def test_results_are_read_back_with_tied_weights(opened):
    weight = torch.randn(3, 3)
    opened.save_result({"a": weight, "b": weight}, {"x": 1})
    back = contents.result_of(opened.folder)
    assert torch.equal(back["a"], weight) and torch.equal(back["b"], weight)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x00" * 100])
def test_a_broken_result_is_one_sentence(opened, content):
    (opened.folder / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="Cannot read"):
        contents.result_of(opened.folder)


def test_folders_that_cannot_become_a_run(tmp_path):
    (tmp_path / "file").write_text("x")
    for taken in (tmp_path, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError):
            Store.check(taken)
    assert Store.check(tmp_path / "new" / "deep") == tmp_path / "new" / "deep"
    assert not (tmp_path / "new").exists()


def test_an_unwritable_parent_is_refused():
    with pytest.raises(InputError, match="Cannot write"):
        Store.check("/proc/nothing/run")


def test_other_folders_are_no_run(tmp_path):
    for read in (contents.recipe_of, contents.newest_state, contents.result_of):
        with pytest.raises(InputError, match="not a run folder"):
            read(tmp_path)
