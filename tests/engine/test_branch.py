"""Branches: they repeat a run exactly, or go on otherwise, and live without it."""

import json
import shutil

import pytest
import torch

import engine
from engine.errors import InputError
from engine.events import (
    Branched,
    LevelsPlanned,
    NodeKept,
    Noticed,
    Progressed,
    Pruned,
    Restored,
    RunFinished,
    RunStarted,
    RunStopped,
)
from engine.recipe import parse, with_changes
from engine.records import contents, nodes
from engine.records.standing import standing
from engine.records.timeline import family_of, nodes_of

BASE = {
    "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
    "schedule": {"recomputations": 3},
    "finetune": {"epochs": 0},
    "checks": {"images": 50},
    "machine": {"device": "cpu", "threads": 1},
}
TRAINED = {
    "schedule": {"kind": "gradual", "first": 0.5, "end": 2},
    "finetune": {"epochs": 3},
}


def result(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three steps of WoodFisher, nothing trained."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    engine.run(parse(BASE), folder)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three prunes of magnitude, with training between and after."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    recipe = {**BASE, **TRAINED, "estimator": {"kind": "magnitude"}}
    engine.run(parse(recipe), folder)
    return folder


@pytest.mark.parametrize("node", [0, 2, 4])
def test_an_unchanged_branch_prunes_as_its_run_did(run, tmp_path, node):
    last = engine.branch(run, node, tmp_path / "branch")
    assert isinstance(last, RunFinished)
    then, now = result(run), result(tmp_path / "branch")
    assert now["mask_sha256"] == then["mask_sha256"]
    assert now["final"] == then["final"]
    assert now["predicted"] == then["predicted"]
    one, two = contents.result_of(run), contents.result_of(tmp_path / "branch")
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule.kind": "gradual", "schedule.end": 0, "schedule.recomputations": 2},
        {"schedule.adaptive": 1.0, "schedule.recomputations": 2},
    ],
)
def test_other_methods_and_schedules_repeat_themselves(tmp_path, changes):
    engine.run(with_changes(parse(BASE), changes), tmp_path / "run")
    then = result(tmp_path / "run")
    middle = nodes_of(tmp_path / "run")[1]
    engine.branch(tmp_path / "run", middle.node, tmp_path / "branch")
    assert result(tmp_path / "branch")["mask_sha256"] == then["mask_sha256"]
    assert result(tmp_path / "branch")["halved"] == then["halved"]


@pytest.mark.parametrize("small", [True, False])
def test_what_was_learned_is_kept_if_it_is_small(tmp_path, small):
    learning = {
        "estimator": {"kind": "fishleg", "images": 64, "iterations": 1, "probes": 1},
        "allocation": {"exclude": ["layer[123]*"]},
        "schedule": {"recomputations": 2},
    }
    if not small:  # a layer whose factors are larger than the network
        learning["allocation"] = {"exclude": ["layer[12]*", "conv1", "fc"]}
    engine.run(parse({**BASE, **learning}), tmp_path / "run")
    heard = []
    engine.branch(tmp_path / "run", 1, tmp_path / "branch", emit=heard.append)
    notes = [event.message for event in heard if isinstance(event, Noticed)]
    assert any("learns anew" in note for note in notes) != small
    assert (nodes.load(tmp_path / "run", 1)["learned"] is not None) == small
    if small:
        then, now = result(tmp_path / "run"), result(tmp_path / "branch")
        assert now["mask_sha256"] == then["mask_sha256"]


def test_a_branch_before_a_prune_repeats_it_though_there_was_training(
    trained, tmp_path
):
    heard = []
    before = nodes_of(trained)[2]
    assert before.kind == "epoch"
    engine.branch(trained, 2, tmp_path / "branch", emit=heard.append)
    then, now = (nodes.load(f, 3)["masks"] for f in (trained, tmp_path / "branch"))
    assert all(torch.equal(then[name], now[name]) for name in then)
    notes = [event.message for event in heard if isinstance(event, Noticed)]
    assert any("fresh optimiser" in note for note in notes)


def test_events_of_a_branch_begin_with_those_of_its_run(run, tmp_path):
    heard = []
    engine.branch(run, 2, tmp_path / "branch", emit=heard.append)
    told = list(contents.replay(tmp_path / "branch"))
    assert [repr(each) for each in told] == [repr(each) for each in heard]
    past = [e for e in contents.replay(run) if not isinstance(e, Progressed)]
    (end,) = (i for i, e in enumerate(past) if isinstance(e, NodeKept) and e.node == 2)
    assert [repr(e) for e in told[: end + 1]] == [repr(e) for e in past[: end + 1]]
    begun = told[end + 1]
    assert isinstance(begun, RunStarted) and begun.resumed
    (branched,) = (e for e in told if isinstance(e, Branched))
    assert branched.parent == str(run) and branched.node == 2
    assert sum(isinstance(e, Restored) for e in told) == 1
    assert [e.step for e in told if isinstance(e, Pruned)] == [1, 2, 3]
    times = [event.time for event in told]
    assert times == sorted(times)


def test_other_settings_take_effect_from_the_node_on(run, tmp_path):
    recipe = with_changes(parse(BASE), {"allocation.sparsity": 0.95})
    engine.branch(run, 2, tmp_path / "branch", recipe)
    (own, other) = family_of(tmp_path / "branch")[0], nodes_of(run)
    assert [n.state for n in own.nodes[:3]] == [n.state for n in other[:3]]
    assert own.nodes[3].state != other[3].state
    assert result(tmp_path / "branch")["sparsity"] == pytest.approx(0.95, abs=1e-3)
    assert contents.recipe_of(tmp_path / "branch") == recipe


def test_a_new_target_leaves_the_prunes_behind_as_they_were(trained, tmp_path):
    recipe = with_changes(contents.recipe_of(trained), {"allocation.sparsity": 0.96})
    heard = []
    engine.branch(trained, 2, tmp_path / "branch", recipe, heard.append)
    (before, plan) = (e for e in heard if isinstance(e, LevelsPlanned))
    assert plan.epochs == before.epochs == (0.0, 1.0, 2.0)
    assert plan.sparsities[0] == before.sparsities[0]
    assert plan.sparsities[1] > before.sparsities[1]
    assert plan.sparsities[2] == 0.96


def test_what_is_overdue_is_taken_at_once(trained, tmp_path):
    changes = {"schedule.kind": "one_shot", "estimator.kind": "taylor"}
    recipe = with_changes(contents.recipe_of(trained), changes)
    heard = []
    engine.branch(trained, 2, tmp_path / "branch", recipe, heard.append)
    pruned = [e for e in heard if isinstance(e, Pruned)]
    assert [e.step for e in pruned] == [1, 2]
    assert pruned[-1].epoch == 1 and pruned[-1].final


def test_the_end_of_a_run_can_be_trained_further(trained, tmp_path):
    recipe = with_changes(contents.recipe_of(trained), {"finetune.epochs": 4})
    end = nodes_of(trained)[-1]
    engine.branch(trained, end.node, tmp_path / "branch", recipe)
    kinds = [n.kind for n in nodes_of(tmp_path / "branch")[end.node :]]
    assert kinds == ["end", "epoch", "end"]
    assert result(tmp_path / "branch")["mask_sha256"] == result(trained)["mask_sha256"]


def test_more_pruning_after_the_end_forgets_what_followed_it(trained, tmp_path):
    recipe = with_changes(contents.recipe_of(trained), {"allocation.sparsity": 0.95})
    end = nodes_of(trained)[-1]
    engine.branch(trained, end.node, tmp_path / "branch", recipe)
    now, then = result(tmp_path / "branch"), result(trained)
    assert now["sparsity"] == pytest.approx(0.95, abs=1e-3)
    assert now["pruned"] != then["pruned"] and now["dense"] == then["dense"]


def test_a_layer_that_was_left_out_can_be_taken_in(run, tmp_path):
    first = with_changes(parse(BASE), {"allocation.exclude": ["fc"]})
    engine.run(first, tmp_path / "run")
    engine.branch(tmp_path / "run", 2, tmp_path / "branch", parse(BASE))
    layers = {x["name"]: x for x in result(tmp_path / "branch")["layers"]}
    assert layers["fc.weight"]["zeros"] > 0


def test_a_stopped_branch_is_resumed_as_a_branch(run, tmp_path):
    control = engine.Control()

    def stop(event):
        if isinstance(event, Restored):
            control.stop()

    last = engine.branch(run, 2, tmp_path / "branch", None, stop, control)
    assert isinstance(last, RunStopped)
    engine.resume(tmp_path / "branch")
    assert result(tmp_path / "branch")["mask_sha256"] == result(run)["mask_sha256"]
    assert contents.result_of(tmp_path / "branch") is not None


def test_a_branch_outlives_its_run_and_exports(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    engine.branch(tmp_path / "run", 1, tmp_path / "branch")
    shutil.rmtree(tmp_path / "run")
    assert not (tmp_path / "branch" / "model.safetensors").exists()
    assert standing(tmp_path / "branch").moment == ""
    report = engine.export(tmp_path / "branch", "pth", tmp_path / "pruned.pth")
    assert report.zeros / report.weights == pytest.approx(0.9, abs=0.01)
    again = engine.branch(tmp_path / "branch", 2, tmp_path / "again")
    assert isinstance(again, RunFinished)


def test_a_branch_that_keeps_no_end_has_a_network_of_its_own(run, tmp_path):
    recipe = with_changes(parse(BASE), {"machine.timeline": "nothing"})
    engine.branch(run, 1, tmp_path / "branch", recipe)
    assert [n.node for n in nodes_of(tmp_path / "branch")] == [0, 1]
    assert (tmp_path / "branch" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("node", "changes", "words"),
    [
        (3, {"allocation.sparsity": 0.5}, "more than the target of 50.00 %"),
        (2, {"allocation.exclude": ["fc"]}, "cannot be excluded any more"),
        (2, {"allocation.ceiling": {"*": 0.3}}, "ceilings"),
        (2, {"data.kind": "cifar10"}, "keeps the data of its run"),
        (2, {"model.kind": "torchvision"}, "keeps the model of its run"),
        (17, {}, "has no node 17"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    run, tmp_path, node, changes, words
):
    recipe = with_changes(parse(BASE), changes)
    with pytest.raises(InputError, match=words) as caught:
        engine.branch(run, node, tmp_path / "branch", recipe)
    assert caught.value.hint
    assert not (tmp_path / "branch").exists()


def test_epochs_that_are_done_stay_done(trained, tmp_path):
    recipe = with_changes(contents.recipe_of(trained), {"finetune.epochs": 2})
    with pytest.raises(InputError, match="after 3 epochs"):
        engine.branch(trained, nodes_of(trained)[-1].node, tmp_path / "b", recipe)


def test_a_taken_folder_and_a_run_without_timeline_are_refused(run, tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        engine.branch(run, 1, tmp_path / "taken")
    shutil.copytree(run, tmp_path / "old")
    shutil.rmtree(tmp_path / "old" / "nodes")
    with pytest.raises(InputError, match="no timeline"):
        engine.branch(tmp_path / "old", 0, tmp_path / "branch")
    with pytest.raises(InputError, match="not a run folder"):
        engine.branch(tmp_path, 0, tmp_path / "branch")


def test_a_damaged_node_is_refused(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "nodes" / "000002.pack").write_bytes(b"rubbish")
    with pytest.raises(InputError, match="missing or damaged"):
        engine.branch(tmp_path / "run", 2, tmp_path / "branch")
    assert not (tmp_path / "branch").exists()


def test_a_pack_that_cannot_be_shared_leaves_nothing(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "nodes" / "000001.pack").unlink()  # node 2 has none of it
    assert nodes.load(tmp_path / "run", 2)
    with pytest.raises(InputError, match="missing"):
        engine.branch(tmp_path / "run", 2, tmp_path / "branch")
    assert not (tmp_path / "branch").exists()


def test_a_target_that_is_reached_to_the_weight_is_no_refusal(tmp_path):
    few = {"allocation": {"exclude": ["layer*", "fc"], "sparsity": 0.505}}
    engine.run(parse({**BASE, **few, "schedule": {}}), tmp_path / "run")
    then = result(tmp_path / "run")
    assert then["prunable"] < 200 and then["sparsity"] > 0.505
    recipe = with_changes(parse({**BASE, **few}), {"schedule.kind": "gradual",
                          "schedule.end": 0})  # fmt: skip
    engine.branch(tmp_path / "run", 1, tmp_path / "branch", recipe)
    assert result(tmp_path / "branch")["mask_sha256"] == then["mask_sha256"]
