"""Whole runs on the demo network: small, real, on one thread."""

import json

import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.errors import InputError, RunError
from engine.events import (
    LAST,
    EpochFinished,
    Evaluated,
    LevelsPlanned,
    PhaseStarted,
    Progressed,
    Pruned,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    Scored,
    Trained,
)
from engine.recipe import Recipe, with_changes
from engine.records import contents

QUICK = {
    "estimator.samples": 32,
    "estimator.block_size": 200,
    "finetune.epochs": 1,
    "allocation.sparsity": 0.8,
    "machine.threads": 1,
}


def recipe(**changes):
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return with_changes(Recipe(), {**QUICK, **dotted})


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "finished"
    events = []
    last = engine.run(recipe(), folder, events.append)
    return folder, events, last


def test_a_run_starts_and_ends_as_promised(finished):
    _, events, last = finished
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished) and events[-1] == last
    assert sum(isinstance(e, LAST) for e in events) == 1


def test_the_summary_keeps_the_contract(finished):
    folder, _, _ = finished
    told = summary(folder)
    for stage in ("dense", "pruned", "final"):
        assert set(told[stage]) == {"loss", "accuracy"}
        assert 0 <= told[stage]["accuracy"] <= 100
    assert told["zeros"] == round(0.8 * told["prunable"])
    assert told["sparsity"] == told["zeros"] / told["prunable"]
    assert 0 < told["sparsity_all"] < told["sparsity"]
    wanted = {"name", "shape", "weights", "zeros", "sparsity", "threshold"}
    assert all(wanted <= set(layer) for layer in told["layers"])
    assert sum(layer["zeros"] for layer in told["layers"]) == told["zeros"]
    phases = {"gradients", "curvature", "selection", "repair", "finetune", "evaluate"}
    assert set(told["timings"]) == phases
    assert told["peak_memory_bytes"] > 0 and told["device"]
    assert len(told["mask_sha256"]) == 64


def test_the_network_has_exactly_the_zeros_it_claims(finished):
    folder, _, _ = finished
    weights = load_file(folder / "model.safetensors")
    for layer in summary(folder)["layers"]:
        assert int((weights[layer["name"]] == 0).sum()) == layer["zeros"]


def test_opening_an_old_run_replays_what_the_live_one_said(finished):
    folder, events, _ = finished
    assert list(contents.replay(folder)) == events


def test_everything_the_window_draws_is_said(finished):
    _, events, _ = finished
    said = {type(event) for event in events}
    assert {Scored, Pruned, Trained, EpochFinished, LevelsPlanned} <= said
    stages = [e.stage for e in events if isinstance(e, Evaluated) and e.split == "test"]
    assert stages == ["dense", "pruned", "final"]


def test_the_demo_survives_pruning_and_fine_tuning(finished):
    folder, _, _ = finished
    told = summary(folder)
    assert told["dense"]["accuracy"] > 95
    assert told["final"]["accuracy"] > 90


def test_the_same_seed_gives_the_same_masks(finished, tmp_path):
    engine.run(recipe(), tmp_path / "again")
    first, again = summary(finished[0]), summary(tmp_path / "again")
    assert first["mask_sha256"] == again["mask_sha256"]
    assert first["final"] == again["final"]
    engine.run(recipe(machine__seed=1), tmp_path / "other")
    assert summary(tmp_path / "other")["mask_sha256"] != first["mask_sha256"]


GRADUAL = {
    "schedule__kind": "gradual",
    "schedule__start": 0,
    "schedule__end": 1,
    "finetune__epochs": 2,
    "schedule__recomputations": 2,
    "finetune__weight_decay": 0.01,
}


def assert_alike(one, other):
    """Two runs ended with the same bits."""
    whole = load_file(one / "model.safetensors")
    cut = load_file(other / "model.safetensors")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    first, second = summary(one), summary(other)
    assert first["mask_sha256"] == second["mask_sha256"]
    assert first["final"] == second["final"]


def stop_after(kind, count, control):
    """An emit that presses stop at the `count`-th event of a kind."""
    seen = []

    def emit(event):
        if isinstance(event, kind):
            seen.append(event)
            if len(seen) == count:
                control.stop()

    return emit


@pytest.mark.parametrize(
    ("kind", "count"),
    [(Evaluated, 1), (Scored, 2), (Pruned, 3), (Trained, 1), (EpochFinished, 1)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_stopped_run_resumes_to_the_same_bits(tmp_path, kind, count):
    job = recipe(**GRADUAL)
    engine.run(job, tmp_path / "whole")
    control = engine.Control()
    emit = stop_after(kind, count, control)
    last = engine.run(job, tmp_path / "cut", emit, control)
    assert isinstance(last, RunStopped)
    assert not (tmp_path / "cut" / "summary.json").exists()
    assert isinstance(engine.resume(tmp_path / "cut"), RunFinished)
    assert_alike(tmp_path / "whole", tmp_path / "cut")
    events = list(contents.replay(tmp_path / "cut"))
    assert [e.resumed for e in events if isinstance(e, RunStarted)] == [False, True]


@pytest.mark.parametrize("count", [1, 2])
def test_a_stop_between_a_prune_and_its_repair_loses_neither(tmp_path, count):
    """The second prune is the last of its level."""
    job = recipe(**GRADUAL, repair__batch_norm="every_step", repair__samples=200)
    engine.run(job, tmp_path / "whole")
    control, told = engine.Control(), []

    def emit(event):
        told.append(event)
        repairs = [
            e for e in told if isinstance(e, PhaseStarted) and e.name == "repair"
        ]
        if len(repairs) == count:
            control.stop()

    assert isinstance(engine.run(job, tmp_path / "cut", emit, control), RunStopped)
    events = []
    assert isinstance(engine.resume(tmp_path / "cut", events.append), RunFinished)
    told = [e.step for e in (*told, *events) if isinstance(e, Pruned)]
    assert told == [1, 2, 3, 4]
    assert_alike(tmp_path / "whole", tmp_path / "cut")


def test_gradual_pruning_climbs_to_the_target(tmp_path):
    events = []
    engine.run(recipe(**GRADUAL), tmp_path / "run", events.append)
    reached = [e.sparsity for e in events if isinstance(e, Pruned)]
    assert reached == sorted(reached) and len(reached) == 4
    assert summary(tmp_path / "run")["sparsity"] == pytest.approx(0.8, abs=1e-3)


def test_batch_norm_is_re_estimated_at_the_end(tmp_path):
    job = recipe(repair__batch_norm="end", repair__samples=200, finetune__epochs=0)
    engine.run(job, tmp_path / "run")
    told = summary(tmp_path / "run")
    assert "repaired" in told and told["timings"]["repair"] > 0
    assert told["repaired"] == told["final"] != told["pruned"]


STEPWISE = {
    "repair__samples": 200,
    "allocation__sparsity": 0.95,
    "schedule__recomputations": 2,
    "finetune__epochs": 0,
}


def test_least_squares_bring_accuracy_back(tmp_path):
    reached = {}
    for when in ("never", "end", "every_step"):
        job = recipe(**{**STEPWISE, "repair__layers": when})
        engine.run(job, tmp_path / when)
        reached[when] = summary(tmp_path / when)["final"]["accuracy"]
    assert min(reached["end"], reached["every_step"]) > reached["never"] + 10
    told = summary(tmp_path / "end")
    assert told["repaired"] == told["final"] != told["pruned"]
    assert any("mean output error" in notice for notice in told["notices"])


def stop_at(label, count, control):
    """An emit that presses stop when a tracked loop begins for the `count`-th time."""
    seen = []

    def emit(event):
        if isinstance(event, Progressed) and event.label == label and not event.done:
            seen.append(event)
            if len(seen) == count:
                control.stop()

    return emit


@pytest.mark.parametrize("when", ["end", "every_step"])
def test_a_repair_that_was_stopped_is_repeated_to_the_same_bits(tmp_path, when):
    job = recipe(**{**STEPWISE, "repair__layers": when, "repair__batch_norm": when})
    engine.run(job, tmp_path / "whole")
    whole = load_file(tmp_path / "whole" / "model.safetensors")
    step = 2 if when == "every_step" else 1
    # "Batch-norm statistics" are looked at once more, when the dense network is judged.
    for label, count in (("Least squares", step), ("Batch-norm statistics", step + 1)):
        folder, control = tmp_path / label, engine.Control()
        emit = stop_at(label, count, control)
        assert isinstance(engine.run(job, folder, emit, control), RunStopped)
        engine.resume(folder)
        resumed = load_file(folder / "model.safetensors")
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)
        assert summary(folder)["final"] == summary(tmp_path / "whole")["final"]


def test_without_validation_images_the_last_epoch_is_kept(tmp_path):
    engine.run(recipe(data__validation=0, finetune__epochs=2), tmp_path / "run")
    told = summary(tmp_path / "run")
    assert told["best_epoch"] == 2
    assert any("no validation images" in notice for notice in told["notices"])


def test_magnitude_runs_the_same_way(tmp_path):
    changes = {"estimator.kind": "magnitude", "finetune.epochs": 0}
    engine.run(with_changes(Recipe(), changes), tmp_path / "run")
    assert summary(tmp_path / "run")["zeros"] > 0


def test_a_finished_run_is_not_resumed(finished):
    with pytest.raises(InputError, match="finished"):
        engine.resume(finished[0])


def test_bad_input_leaves_no_folder_and_ends_with_run_failed(tmp_path):
    events = []
    job = recipe(model__checkpoint=str(tmp_path / "missing.pth"))
    with pytest.raises(InputError):
        engine.run(job, tmp_path / "run", events.append)
    assert not (tmp_path / "run").exists()
    assert isinstance(events[-1], RunFailed)


def test_a_diverging_fine_tuning_says_so_and_keeps_its_folder(tmp_path):
    events = []
    job = recipe(finetune__learning_rate=100.0, finetune__decay="constant")
    job = with_changes(job, {"finetune.epochs": 20, "finetune.momentum": 0.99})
    with pytest.raises(RunError, match="diverged"):
        engine.run(job, tmp_path / "run", events.append)
    assert isinstance(events[-1], RunFailed)
    assert list(contents.replay(tmp_path / "run"))[-1] == events[-1]


def test_excluding_every_layer_is_refused(tmp_path):
    with pytest.raises(InputError, match="No layer"):
        engine.run(recipe(allocation__exclude=["*"]), tmp_path / "run")
