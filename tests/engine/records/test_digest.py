"""Digests of run folders, whole, broken, old, stopped or still being written."""

import json
import os
import shutil

import pytest
from filelock import FileLock

import engine
from engine.errors import InputError
from engine.events import Evaluated, Pruned, RunFailed, RunStopped, Trained
from engine.recipe import parse
from engine.records import codec
from engine.records.notes import read_notes, write_notes

RECIPE = parse(
    {
        "estimator": {"kind": "magnitude"},
        "allocation": {"sparsity": 0.75},
        "finetune": {"epochs": 1},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "done"
    engine.run(RECIPE, folder)
    return folder


@pytest.fixture
def run(done, tmp_path):
    """A copy of a finished run that may be spoilt."""
    return shutil.copytree(done, tmp_path / "run")


def unfinished(run, lines=None, last=None):
    """As a run is before its end: no summary, and these events."""
    (run / "summary.json").unlink()
    path = run / "events.jsonl"
    kept = path.read_text().splitlines()[:-1][:lines]
    kept += [codec.to_json(last)] if last else []
    path.write_text("\n".join(kept) + "\n")
    old = path.stat().st_mtime - 1000
    os.utime(path, (old, old))
    return engine.digest(run)


def test_a_finished_run_is_what_its_summary_says(done):
    told, summary = engine.digest(done), json.loads((done / "summary.json").read_text())
    assert (told.state, told.problem, told.method) == ("done", "", "Magnitude")
    assert told.target == "75.0 %, global threshold" and told.schedule == "One-shot"
    assert told.final.accuracy == summary["final"]["accuracy"]
    assert told.dense.loss == summary["dense"]["loss"]
    assert told.sparsity == summary["sparsity"] and told.macs == summary["macs"]
    assert [layer.zeros for layer in told.layers] == [
        layer["zeros"] for layer in summary["layers"]
    ]
    assert told.seconds == summary["seconds"] and told.began > 1e9


def test_bytes_are_values_and_a_bit_a_weight_where_that_is_less(done):
    summary = json.loads((done / "summary.json").read_text())
    size = 4 * (summary["parameters"] - summary["prunable"])
    for layer in summary["layers"]:
        live = layer["weights"] - layer["zeros"]
        packed = 4 * live + -(-layer["weights"] // 8)
        size += min(packed, 4 * layer["weights"])
    assert engine.digest(done).bytes == size


def test_events_tell_the_same_as_the_summary(done, run):
    whole, told = engine.digest(done), unfinished(run)
    assert told.state == "interrupted" and told.began is not None
    assert told.macs == whole.macs and told.bytes == whole.bytes
    assert told.sparsity == whole.sparsity and told.dense == whole.dense
    zeros = [layer.zeros for layer in whole.layers]
    assert [layer.zeros for layer in told.layers] == zeros


def test_a_stopped_and_a_failed_run_are_told_apart(run):
    told = unfinished(run, 20, RunFailed("No memory.", "Lower the block size."))
    assert told.state == "failed" and "Lower the block size." in told.problem
    (run / "summary.json").write_text("{}")
    assert unfinished(run, 5, RunStopped()).state == "stopped"


def test_a_run_that_is_being_written_is_running(run):
    lock = FileLock(run / ".lock")
    with lock:
        assert unfinished(run, 10).state == "running"
    assert engine.digest(run).state == "interrupted"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"layers": 3}', '{"layers": [1]}'])
def test_a_broken_summary_does_not_hide_the_events(run, content):
    (run / "summary.json").write_text(content)
    told = engine.digest(run)
    assert told.state in ("done", "interrupted", "stopped")
    assert told.method == "Magnitude"


def test_a_recipe_of_another_version_is_shown_as_far_as_it_is_understood(run):
    content = json.loads((run / "recipe.json").read_text())
    content["estimator"] = {"kind": "long_gone", "power": 3}
    (run / "recipe.json").write_text(json.dumps(content))
    told = engine.digest(run)
    assert told.state == "done" and told.method == "long_gone"
    assert "another version" in told.problem
    assert told.recipe["estimator"]["power"] == 3
    assert told.final.accuracy is not None


@pytest.mark.parametrize("recipe", ["", "{", "[]", "null", "3", '"x"'])
def test_a_broken_recipe_is_said(run, recipe):
    (run / "recipe.json").write_text(recipe)
    told = engine.digest(run)
    assert told.problem and told.recipe is None and told.state == "done"


def test_broken_events_are_said(run):
    (run / "summary.json").unlink()
    path = run / "events.jsonl"
    path.write_text('{"event":"Evaluated","stage":3}\n' + path.read_text())
    assert "Not an event" in engine.digest(run).problem
    path.write_text("no event at all\n")
    assert engine.digest(run).state == "unreadable"
    path.unlink()
    assert engine.digest(run).problem


def test_what_is_no_run_is_missing(tmp_path):
    assert engine.digest(tmp_path / "nowhere").state == "missing"
    assert "no recipe.json" in engine.digest(tmp_path).problem


def test_only_lines_of_the_wanted_kinds_are_parsed(run):
    path = run / "events.jsonl"
    path.write_text('{"event":"Scored","layers":3}\n' + path.read_text())
    found = list(engine.replay(run, (Evaluated, Trained)))
    assert {type(event) for event in found} == {Evaluated, Trained}
    with pytest.raises(InputError, match="Not an event"):
        list(engine.replay(run))
    assert all(isinstance(e, Pruned) for e in engine.replay(run, (Pruned,)))


def test_notes_come_back_and_go(tmp_path):
    write_notes(tmp_path, "  best so far\nü ")
    assert read_notes(tmp_path) == "best so far\nü"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    write_notes(tmp_path, " ")
    assert read_notes(tmp_path) == "" and not list(tmp_path.iterdir())


def test_notes_that_cannot_be_written_leave_what_was_there(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_notes(tmp_path / "nowhere", "x")
    (tmp_path / "notes.txt").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_notes(tmp_path, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
