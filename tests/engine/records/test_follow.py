"""Following a folder that somebody is writing, through the real store."""

import os
import time

import pytest

from engine.errors import InputError
from engine.events import PhaseStarted, RunFinished, RunStopped
from engine.recipe import Recipe
from engine.records import follow
from engine.records.follow import Follower
from engine.records.store import HOST, Store


@pytest.fixture
def writer(tmp_path):
    store = Store.create(tmp_path / "run", Recipe())
    yield store
    store.close()


def test_news_come_once_and_whole(writer):
    writer.record(PhaseStarted("load"))
    follower = Follower.of(writer.folder)
    assert list(follower.news()) == [PhaseStarted("load")]
    assert list(follower.news()) == []
    path = writer.folder / "events.jsonl"
    line = path.read_bytes()
    with path.open("ab") as file:
        file.write(line[:10])
    assert list(follower.news()) == []
    with path.open("ab") as file:
        file.write(line[10:])
    assert list(follower.news()) == [PhaseStarted("load")]
    assert follower.last == PhaseStarted("load")


def test_a_folder_that_appears_later(tmp_path):
    follower = Follower(tmp_path / "run")
    assert list(follower.news()) == []
    store = Store.create(tmp_path / "run", Recipe())
    store.record(RunFinished(0.9, 99.0, 98.0))
    assert len(list(follower.news())) == 1 and follower.over
    store.close()


def test_what_was_said_before_can_be_left_out(writer):
    writer.record(RunStopped())
    follower = Follower(writer.folder, skip=True)
    writer.record(PhaseStarted("load"))
    assert list(follower.news()) == [PhaseStarted("load")]


def test_a_run_goes_on_while_its_writer_holds_the_folder(writer):
    writer.record(PhaseStarted("load"))
    follower = Follower.of(writer.folder)
    list(follower.news())
    assert not follower.over
    writer.close()
    assert follower.over
    assert not (writer.folder / "summary.json").exists()


def test_another_machine_is_believed_until_it_falls_silent(writer, monkeypatch):
    writer.record(PhaseStarted("load"))
    writer.close()  # as if the lock did not reach this machine
    (writer.folder / HOST).write_text("elsewhere")
    follower = Follower.of(writer.folder)
    list(follower.news())
    assert not follower.over
    monkeypatch.setattr(follow, "QUIET", 0.0)
    assert follower.over
    monkeypatch.undo()
    past = time.time() - 3600
    os.utime(writer.folder / "events.jsonl", (past, past))
    old = Follower.of(writer.folder)
    list(old.news())
    assert old.over


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        Follower.of(tmp_path)
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(InputError, match=r"events\.jsonl"):
        Follower.of(tmp_path)
