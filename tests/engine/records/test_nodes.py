"""Nodes: which moments are kept, that they are whole, and who shares them."""

import json
import shutil

import pytest
import torch

import engine
from engine.errors import InputError, RunError
from engine.events import NodeKept, Noticed, Pruned
from engine.planning import timeline as planned
from engine.recipe import parse
from engine.records import contents, nodes, packs
from engine.records.timeline import family_of, nodes_of

RECIPE = {
    "estimator": {"kind": "magnitude"},
    "schedule": {"kind": "gradual", "first": 0.5, "end": 2, "interval": 2},
    "repair": {"batch_norm": "end", "samples": 100},
    "finetune": {"epochs": 3},
    "checks": {"images": 0},
    "machine": {"device": "cpu", "threads": 1},
}
KINDS = ["dense", "prune", "epoch", "epoch", "prune", "repair", "epoch", "end"]


def recipe(**changes):
    return parse({**RECIPE, **changes})


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A finished run, and what it said."""
    folder, heard = tmp_path_factory.mktemp("runs") / "run", []
    engine.run(recipe(), folder, heard.append)
    return folder, heard


def test_every_prune_epoch_and_repair_becomes_a_node(kept):
    folder, heard = kept
    told = [event for event in heard if isinstance(event, NodeKept)]
    assert [node.kind for node in told] == KINDS
    assert [node.node for node in told] == list(range(len(KINDS)))
    assert [node.step for node in told] == [0, 1, 1, 1, 2, 2, 2, 2]
    assert [node.epoch for node in told] == [0, 0, 1, 2, 2, 2, 3, 3]
    assert [node.state for node in nodes_of(folder)] == [node.state for node in told]
    assert all(node.accuracy is not None for node in told)
    splits = ["test", *["validation"] * 3, "test", "test", "validation", "test"]
    assert [node.split for node in told] == splits


def test_the_last_node_is_the_result(kept):
    folder, _ = kept
    state, result = nodes.load(folder, 7), contents.result_of(folder)
    assert all(torch.equal(state["model"][name], result[name]) for name in result)
    assert not (folder / "states").exists()


def test_a_node_can_be_looked_into(kept):
    folder, _ = kept
    network = engine.run_network(folder, 1)
    state = nodes.load(folder, 1)["model"]
    assert all(torch.equal(state[name], network.state[name]) for name in state)
    assert network.moment == "This moment: prune 1, 50.0 % sparse."


def test_a_node_after_a_prune_is_as_sparse_as_it_says(kept):
    folder, heard = kept
    pruned = [event for event in heard if isinstance(event, Pruned)]
    for number, event in ((1, pruned[0]), (4, pruned[1])):
        masks = nodes.load(folder, number)["masks"]
        assert sum(int((~mask).sum()) for mask in masks.values()) == event.zeros
        assert nodes.node_of(folder, number).sparsity == event.sparsity


def test_sizes_tell_what_was_written(kept):
    folder, _ = kept
    sizes = [node.size for node in nodes_of(folder)]
    files = sorted((folder / "nodes").glob("*.pack"))
    assert sizes == [path.stat().st_size for path in files]
    assert sizes[0] > sizes[1] > sizes[4] > sizes[7]  # the end shares its weights


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("nothing", []),
        ("prunes", ["dense", "prune", "epoch", "prune", "repair", "end"]),
    ],
)
def test_a_recipe_may_keep_less(tmp_path, what, kinds):
    machine = {**RECIPE["machine"], "timeline": what}
    engine.run(recipe(machine=machine), tmp_path / "run")
    found = nodes_of(tmp_path / "run")
    assert [node.kind for node in found] == kinds
    assert [node.epoch for node in found if node.kind == "epoch"] == [2] * bool(kinds)
    assert (tmp_path / "run" / "nodes").exists() == bool(kinds)


def test_auto_keeps_what_fits_and_says_what_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(planned, "AUTO", 800_000)
    heard = []
    engine.run(recipe(), tmp_path / "run", heard.append)
    assert len(nodes_of(tmp_path / "run")) == 6
    notes = [event.message for event in heard if isinstance(event, Noticed)]
    assert any("machine.timeline may ask" in note for note in notes)


def test_the_plan_is_near_what_a_run_takes(kept):
    folder, _ = kept
    predicted = engine.plan(recipe()).timeline_bytes
    taken = sum(node.size for node in nodes_of(folder))
    assert 0.7 * taken < predicted < 1.5 * taken


@pytest.mark.parametrize("after", ["prune", "epoch"])
def test_a_stopped_run_goes_on_with_its_timeline(tmp_path, after):
    control, heard = engine.Control(), []

    def stop(event):
        if isinstance(event, NodeKept) and event.kind == after:
            control.stop()

    engine.run(recipe(), tmp_path / "run", stop, control)
    assert len(nodes_of(tmp_path / "run")) < len(KINDS)
    engine.resume(tmp_path / "run", heard.append)
    assert [node.kind for node in nodes_of(tmp_path / "run")] == KINDS


def test_a_run_that_starts_over_forgets_what_it_comes_to_anew(tmp_path):
    control = engine.Control()

    def stop(event):
        if isinstance(event, NodeKept) and event.kind == "epoch":
            control.stop()

    folder = tmp_path / "run"
    engine.run(recipe(), folder, stop, control)
    for path in (folder / "states").iterdir():
        path.write_bytes(b"broken")
    before = nodes_of(folder)
    engine.resume(folder)
    after = nodes_of(folder)
    assert [node.kind for node in after] == KINDS
    assert before[0].state == after[0].state and before[1].state != after[1].state
    assert all(nodes.load(folder, node.node)["model"] for node in after)


def test_a_pack_without_its_entry_is_no_node(tmp_path, kept):
    """As a crash leaves it between the two files."""
    folder = tmp_path / "run"
    shutil.copytree(kept[0], folder)
    (folder / "nodes" / "000007.json").unlink()
    assert len(nodes_of(folder)) == len(KINDS) - 1
    found = nodes.packs_of(folder, nodes_of(folder))
    end = next(e for e in kept[1] if isinstance(e, NodeKept) and e.kind == "end")
    with pytest.raises(InputError, match="missing"):
        found.get(end.state)


def test_folders_share_files_or_copy_them(tmp_path, kept, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert nodes.share(kept[0], 2, tmp_path / "one") == 0
    file = "nodes/000002.pack"
    assert (tmp_path / "one" / file).samefile(kept[0] / file)

    def elsewhere(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(nodes.os, "link", elsewhere)
    copied = nodes.share(kept[0], 2, tmp_path / "two")
    files = list((tmp_path / "two" / "nodes").iterdir())
    assert copied == sum(path.stat().st_size for path in files) and len(files) == 6
    one, two = (nodes.load(tmp_path / name, 2)["model"] for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_full_disk_ends_the_run_in_a_sentence(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packs, "write", full)
    with pytest.raises(RunError, match="Cannot keep the timeline") as caught:
        engine.run(recipe(), tmp_path / "run")
    assert "No space left" in caught.value.message


def test_a_wrong_number_names_the_right_ones(kept, tmp_path):
    with pytest.raises(InputError, match="no node 9") as caught:
        nodes.load(kept[0], 9)
    assert "0, 1, 2" in caught.value.hint
    with pytest.raises(InputError, match="no timeline"):
        nodes.load(tmp_path, 0)


@pytest.mark.parametrize("content", ["", "{}", json.dumps({"event": "RunPaused"})])
def test_a_broken_list_is_one_sentence(kept, tmp_path, content):
    folder = tmp_path / "run"
    shutil.copytree(kept[0], folder)
    (folder / "nodes" / "000003.json").write_text(content)
    with pytest.raises(InputError, match="node"):
        nodes_of(folder)


def test_runs_beside_each_other_are_no_family_without_a_common_node(kept, tmp_path):
    shutil.copytree(kept[0], tmp_path / "one")
    engine.run(recipe(), tmp_path / "two")
    (tmp_path / "odd").mkdir()
    (tmp_path / "file").write_text("x")
    (line,) = family_of(tmp_path / "one")
    assert line.folder == tmp_path / "one" and len(line.nodes) == len(KINDS)
