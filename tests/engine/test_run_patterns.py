"""Whole runs by pattern: what was removed keeps its shape to the end."""

import json

import pytest
from safetensors.torch import load_file

import engine
from engine.curvature.groups import neighbours
from engine.events import (
    LevelsPlanned,
    Noticed,
    Pruned,
    RunFinished,
    RunStopped,
    Scored,
)
from engine.recipe import parse, with_changes

GRADUAL = {
    "schedule": {"kind": "gradual", "start": 0, "end": 1},
    "finetune": {"epochs": 2, "weight_decay": 0.01},
}


def recipe(pattern, sparsity=0.9, order="independent", **groups):
    return parse(
        {
            "estimator": {"samples": 32, "block_size": 200, "order": order},
            "allocation": {"sparsity": sparsity},
            "finetune": {"epochs": 0},
            "machine": {"threads": 1},
            "pattern": pattern,
            **groups,
        }
    )


def result(folder):
    told = json.loads((folder / "summary.json").read_text())
    weights = load_file(folder / "model.safetensors")
    return told, {layer["name"]: weights[layer["name"]] for layer in told["layers"]}


def groups_of(weight, size):
    """(groups, size) of what is kept; rows must divide."""
    every = neighbours(weight == weight, size)
    return (weight != 0).reshape(-1)[every]


def divides(weight, size):
    return weight[0].numel() % size == 0


def test_two_of_four_holds_through_gradual_pruning_and_training(tmp_path):
    events = []
    job = recipe({"kind": "n_m"}, **GRADUAL)
    engine.run(job, tmp_path / "run", events.append)
    told, weights = result(tmp_path / "run")
    planned = next(e for e in events if isinstance(e, LevelsPlanned))
    reached = [e.sparsity for e in events if isinstance(e, Pruned)]
    assert reached == pytest.approx(planned.sparsities, abs=1e-3)
    assert reached[0] < reached[-1] == told["sparsity"] <= 0.5
    skipped = [name for name, w in weights.items() if not divides(w, 4)]
    for name, weight in weights.items():
        if name in skipped:
            assert weight.all()
        else:
            assert (groups_of(weight, 4).sum(1) == 2).all()
    assert any("takes at most" in notice for notice in told["notices"])
    assert not skipped or any(skipped[0] in notice for notice in told["notices"])
    assert told["final"]["accuracy"] > 90


def test_a_macs_budget_beyond_the_pattern_is_told_once_and_met_as_far_as_it_goes(
    tmp_path,
):
    job = recipe({"kind": "n_m"}, 0.9)
    job = with_changes(job, {"allocation.kind": "macs", "schedule.recomputations": 3})
    events = []
    engine.run(job, tmp_path / "run", events.append)
    told = [e.message for e in events if isinstance(e, Noticed)]
    (limit,) = [text for text in told if "takes at most" in text]
    planned = next(e for e in events if isinstance(e, LevelsPlanned))
    most = planned.sparsities[-1]
    assert 0 < most < 0.5 + 1e-9
    assert f"{100 * most:.2f} % of the prunable multiply-accumulates" in limit
    gone = [text for text in told if "multiply-accumulates are gone" in text]
    assert len(gone) == 3 and all("as planned" in text for text in gone)
    assert f"{100 * most:.3f} %" in gone[-1]


def test_groups_hold_through_training_and_a_stop(tmp_path):
    job = recipe({"kind": "groups", "size": 2}, 0.7, **GRADUAL)
    engine.run(job, tmp_path / "whole")
    control = engine.Control()

    def emit(event):
        if isinstance(event, Scored):
            control.stop()

    assert isinstance(engine.run(job, tmp_path / "cut", emit, control), RunStopped)
    assert isinstance(engine.resume(tmp_path / "cut"), RunFinished)
    told, weights = result(tmp_path / "whole")
    assert result(tmp_path / "cut")[0]["mask_sha256"] == told["mask_sha256"]
    assert told["sparsity"] == pytest.approx(0.7, abs=1e-3)
    for weight in weights.values():
        if divides(weight, 2):
            kept = groups_of(weight, 2)
            assert (kept.all(1) | ~kept.any(1)).all()


@pytest.mark.parametrize(
    "pattern", [{"kind": "groups"}, {"kind": "n_m", "kept": 4, "group": 8}]
)
def test_plans_and_pictures_know_of_patterns(tmp_path, pattern):
    job = recipe(pattern, 0.5)
    plan = engine.plan(job, folder=tmp_path)
    events = []
    engine.run(job, tmp_path / "run", events.append)
    planned = next(e for e in events if isinstance(e, LevelsPlanned))
    assert plan.targets == planned.sparsities
    told, _ = result(tmp_path / "run")
    scored = next(e for e in events if isinstance(e, Scored))
    for layer, drawn in zip(told["layers"], scored.layers, strict=True):
        assert sum(drawn.live) + sum(drawn.removed) + drawn.below == layer["weights"]
    step = told["predicted"][0]
    assert step["joint"] > 0 and step["sum"] > 0


def test_greedy_order_runs_like_any_other(tmp_path):
    reached = {}
    for order in ("independent", "greedy"):
        job = recipe({"kind": "unstructured"}, 0.8, order)
        engine.run(job, tmp_path / order)
        told, _ = result(tmp_path / order)
        assert told["zeros"] == round(0.8 * told["prunable"])
        reached[order] = told["mask_sha256"]
    assert reached["greedy"] != reached["independent"]
