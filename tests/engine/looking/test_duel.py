"""Duel: both methods as a run would have them, and what their dispute costs."""

import threading

import numpy as np
import pytest
import torch

import engine
from engine.errors import InputError
from engine.estimators import Magnitude, WoodFisher
from engine.evaluate import evaluate
from engine.events import Progressed, Pruned
from engine.job import Job
from engine.looking.dispute import BEFORE, FIRST, GOES, RIVAL, STAYS
from engine.monitor import Control, Monitor
from engine.recipe import parse, with_changes

RECIPE = parse(
    {
        "estimator": {"samples": 40, "block_size": 50, "compensation": "none"},
        "allocation": {"sparsity": 0.8},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def found():
    return engine.duel(RECIPE, Magnitude())


def zeros(recipe, folder):
    """Where a run leaves zeros."""
    from safetensors.torch import load_file

    engine.run(recipe, folder)
    return {k: v == 0 for k, v in load_file(folder / "model.safetensors").items()}


def test_the_maps_are_what_two_runs_remove(found, tmp_path):
    first = zeros(RECIPE, tmp_path / "first")
    other = with_changes(RECIPE, {"estimator.kind": "magnitude"})
    rival = zeros(other, tmp_path / "rival")
    assert (found.first, found.rival) == ("WoodFisher", "Magnitude")
    for layer in found.layers:
        codes = found.maps[layer.name]
        assert codes.shape == (layer.shape[0], np.prod(layer.shape[1:]))
        a, b = (
            each[layer.name].numpy().reshape(codes.shape) for each in (first, rival)
        )
        assert np.array_equal(a, np.isin(codes, (GOES, FIRST)))
        assert np.array_equal(b, np.isin(codes, (GOES, RIVAL)))
        assert layer.first == (a & ~b).sum() and layer.rival == (b & ~a).sum()
        assert layer.overlap == pytest.approx((a & b).sum() / (a | b).sum())
        assert layer.live == codes.size and not (codes == BEFORE).any()
        assert (codes == STAYS).any()
    assert found.disputed == sum(each.disputed for each in found.layers) > 0
    assert found.overlap == pytest.approx(found.both / (found.both + found.disputed))


def test_weights_that_are_zero_already_are_nobodys(tmp_path):
    before = zeros(RECIPE, tmp_path / "run")
    changes = {
        "model.checkpoint": str(tmp_path / "run" / "model.safetensors"),
        "allocation.sparsity": 0.9,
    }
    found = engine.duel(with_changes(RECIPE, changes), Magnitude())
    for layer in found.layers:
        gone = before[layer.name].numpy().reshape(found.maps[layer.name].shape)
        assert np.array_equal(found.maps[layer.name] == BEFORE, gone)
        assert layer.live == (~gone).sum()


def test_ranks_are_spearmans(found):
    job = Job(RECIPE, Monitor(), frozenset())
    weights = job.problem.weights()
    curvature = RECIPE.estimator.fit(job.problem, job.masks, Monitor(), 0)
    scores = curvature.scores(weights)

    def spearman(a, b):
        both = [each.reshape(-1).argsort().argsort().double() for each in (a, b)]
        return float(torch.corrcoef(torch.stack(both))[0, 1])

    for layer in found.layers:
        right = spearman(scores[layer.name], weights[layer.name].abs())
        assert layer.ranks == pytest.approx(right, abs=1e-6)  # equals, in their order
    whole = [
        torch.cat([x.reshape(-1) for x in each.values()])
        for each in (scores, {name: weight.abs() for name, weight in weights.items()})
    ]
    assert found.ranks == pytest.approx(spearman(*whole), abs=1e-6)


def test_the_probe_measures_masks_alone(found):
    job = Job(RECIPE, Monitor(), frozenset())
    weights, probe = job.problem.weights(), found.probe
    assert probe.split == "validation" and probe.images == len(job.data.validation)
    dense = {name: weight.clone() for name, weight in weights.items()}
    for name, codes in (
        ("dense", ()), ("agreed", (GOES,)), ("first", (GOES, FIRST)),
        ("rival", (GOES, RIVAL)),
    ):  # fmt: skip
        for key, weight in weights.items():
            gone = torch.from_numpy(np.isin(found.maps[key], codes))
            weight.copy_(dense[key].masked_fill(gone.reshape(weight.shape), 0))
        right = evaluate(
            job.model, job.data.validation, job.loss, 50, Monitor(), "again"
        )
        measured = getattr(probe, name)
        assert measured.loss == pytest.approx(right.loss, rel=1e-5)
        assert measured.accuracy == pytest.approx(right.accuracy)
    assert probe.change == pytest.approx(probe.first.loss - probe.rival.loss, abs=1e-9)
    assert probe.error > 0


def test_a_method_disputes_nothing_with_itself():
    model = with_changes(RECIPE, {"allocation.exclude": ["layer*"]})
    found = engine.duel(model, RECIPE.estimator)
    assert found.disputed == 0 and found.overlap == 1 and found.ranks == 1
    assert found.rival == "WoodFisher (rival)"
    assert found.probe.first == found.probe.rival == found.probe.agreed


def test_a_rival_that_does_not_fit_the_recipe_is_refused():
    blocks = with_changes(RECIPE, {"pattern.kind": "groups"})
    with pytest.raises(InputError, match="Greedy"):
        engine.duel(blocks, WoodFisher(order="greedy", block_size=100))


def test_it_can_be_stopped_and_prunes_nothing():
    control, events = Control(), []

    def emit(event):
        events.append(event)
        if isinstance(event, Progressed):
            control.pause()
            threading.Timer(0.1, control.stop).start()

    assert engine.duel(RECIPE, Magnitude(), emit, control) is None
    assert not any(isinstance(event, Pruned) for event in events)
