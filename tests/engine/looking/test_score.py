"""Scoring without pruning: what it says, what it leaves, and that it keeps its word."""

import threading

import pytest
import torch

import engine
from engine.errors import InputError
from engine.events import (
    Checked,
    Evaluated,
    Fitted,
    PhaseStarted,
    Progressed,
    Pruned,
    RunFinished,
)
from engine.monitor import Control
from engine.recipe import parse, with_changes
from engine.steering.events import LookEnded, LookStarted
from engine.steering.overrides import changes
from engine.steering.what_if import WhatIf

QUICK = {
    "estimator": {"kind": "woodfisher", "samples": 60, "block_size": 500},
    "finetune": {"epochs": 0},
    "checks": {"images": 0},
    "machine": {"device": "cpu", "threads": 1},
}


@pytest.fixture(scope="module")
def recipe():
    return parse(QUICK)


@pytest.fixture(scope="module")
def scored(recipe):
    events = []
    return engine.score(recipe, emit=events.append), events


def test_it_says_how_far_it_is_and_prunes_nothing(scored, recipe):
    study, events = scored
    assert isinstance(events[0], LookStarted) and "cpu" in events[0].device
    assert isinstance(events[-1], LookEnded)
    phases = [e.name for e in events if isinstance(e, PhaseStarted)]
    assert phases == ["load", "gradients", "curvature", "selection"]
    assert any(isinstance(e, Progressed) for e in events)
    assert any(isinstance(e, Fitted) for e in events)
    assert not any(isinstance(e, Pruned | Evaluated) for e in events)
    fresh = recipe.model.build(recipe.data.describe(), frozenset()).state_dict()
    assert study.state.keys() == fresh.keys()
    weights = sum(each.size for each in study.ranking.layers.values())
    assert f"{weights:,}" in events[-1].message


def finished(recipe, folder):
    """Every layer's zeros, the events and the study of a run."""
    seen, studies = [], []
    last = engine.run(recipe, folder, emit=seen.append, watch=studies.append)
    assert isinstance(last, RunFinished)
    pruned = next(e for e in seen if isinstance(e, Pruned))
    return {layer.name: layer.zeros for layer in pruned.layers}, pruned, studies


@pytest.mark.parametrize(
    "given",
    [
        {"allocation.sparsity": 0.7},
        {"allocation.kind": "uniform", "allocation.floor": {"fc": 0.95}},
        {"allocation.kind": "macs", "allocation.sparsity": 0.6},
        {"pattern.kind": "groups", "allocation.macs_power": 0.3},
        {"estimator.kind": "woodtaylor"},
    ],
)
def test_a_run_does_what_was_foretold(given, recipe, tmp_path):
    recipe = with_changes(recipe, given)
    study = engine.score(recipe)
    forecast = WhatIf(study.ranking).forecast(recipe.allocation)
    zeros, pruned, studies = finished(recipe, tmp_path / "run")
    assert forecast.zeros == zeros
    assert forecast.sparsity == pytest.approx(pruned.sparsity)
    assert forecast.loss == pytest.approx(pruned.predicted, rel=1e-6)
    again = WhatIf(studies[0].ranking).forecast(recipe.allocation)
    assert len(studies) == 1 and again == forecast


def test_a_run_keeps_to_a_dragged_layer_and_a_dragged_target(scored, recipe, tmp_path):
    asked = WhatIf(scored[0].ranking)
    at = asked.compared(recipe.allocation, "fc.weight")[100]
    moved = asked.cut_layer(recipe.allocation, "fc.weight", at)
    moved = asked.cut_all(moved, 1e-7)
    forecast = asked.forecast(moved)
    recipe = with_changes(recipe, changes(moved))
    zeros, *_ = finished(recipe, tmp_path / "run")
    assert zeros == forecast.zeros
    assert zeros["fc.weight"] == 100


def test_a_method_without_losses_foretells_none(recipe):
    study = engine.score(with_changes(recipe, {"estimator.kind": "magnitude"}))
    assert study.ranking.gain is None


def test_a_study_is_no_part_of_the_run_that_goes_on(recipe, tmp_path):
    zeros, _, studies = finished(recipe, tmp_path / "run")
    name = max(zeros, key=zeros.get)
    assert int((studies[0].state[name] == 0).sum()) < zeros[name]


def test_it_stops_and_pauses_like_a_run(recipe):
    control, events = Control(), []
    paused = threading.Event()

    def emit(event):
        events.append(event)
        if isinstance(event, Progressed) and not paused.is_set():
            paused.set()
            control.pause()
            threading.Timer(0.2, control.stop).start()

    assert engine.score(recipe, emit, control) is None
    assert [type(e).__name__ for e in events[-2:]] == ["RunPaused", "LookEnded"]
    assert "was stopped" in events[-1].message


def test_what_cannot_run_cannot_be_scored(recipe):
    events = []
    lost = with_changes(recipe, {"allocation.exclude": ["*"]})
    with pytest.raises(InputError, match="No layer is left"):
        engine.score(lost, emit=events.append)
    assert isinstance(events[-1], LookEnded)


def test_what_a_study_says_goes_first_is_what_a_run_removes(recipe, tmp_path):
    recipe = with_changes(recipe, {"estimator.compensation": "none"})
    study = engine.score(recipe)
    forecast = WhatIf(study.ranking).forecast(recipe.allocation)
    seen = []
    engine.run(recipe, tmp_path / "run", emit=seen.append)
    assert not any(isinstance(e, Checked) for e in seen)
    from safetensors.torch import load_file

    weights = load_file(tmp_path / "run" / "model.safetensors")
    for name in study.order:
        gone = torch.zeros(weights[name].numel(), dtype=torch.bool)
        gone[study.removed(forecast.units, name)] = True
        assert torch.equal(weights[name].reshape(-1) == 0, gone)
