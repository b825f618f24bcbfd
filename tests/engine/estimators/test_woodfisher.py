"""WoodFisher: from images to saliencies and corrections."""

import pytest
import torch
from torch import nn

from engine.estimators import WoodFisher
from engine.events import PhaseFinished, Progressed
from engine.loss import Loss
from engine.monitor import Monitor
from engine.problem import Problem
from tests import reference
from tests.cases import Images


def problem() -> Problem:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    split = Images(torch.randn(30, 6).double(), torch.randint(0, 3, (30,)))
    return Problem(model, ("0.weight", "2.weight"), split, Loss())


def every(given: Problem) -> dict:
    return {n: torch.ones_like(w, dtype=torch.bool) for n, w in given.weights().items()}


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("size", [0, 4])
def test_scores_and_correction_follow_the_drawn_gradients(batch, size):
    given = problem()
    method = WoodFisher(samples=10, batch=batch, block_size=size, damping=1e-3)
    found = method.fit(given, every(given), Monitor(), seed=5)
    rows = given.gradients(10, batch, 5, {}, Monitor())
    weights = given.weights()
    removed = {n: torch.rand_like(w) < 0.5 for n, w in weights.items()}
    step = found.removal(weights, removed).corrections
    for name, weight in weights.items():
        flat, gone = weight.reshape(-1), removed[name].reshape(-1)
        dense = reference.block_fisher(rows[name], 1e-3, size)
        scores = found.scores(weights)[name].reshape(-1)
        torch.testing.assert_close(scores, reference.saliencies(flat, dense))
        right = reference.summed_updates(flat, gone, dense)
        torch.testing.assert_close(step[name].reshape(-1), right)


def test_the_true_fisher_follows_gradients_with_drawn_labels():
    given = problem()
    method = WoodFisher(samples=10, block_size=0, damping=1e-3, fisher="true")
    found = method.fit(given, every(given), Monitor(), seed=5).scores(given.weights())
    rows = given.gradients(10, 1, 5, {}, Monitor(), "true")
    for name, weight in given.weights().items():
        dense = reference.fisher(rows[name], 1e-3)
        right = reference.saliencies(weight.reshape(-1), dense)
        torch.testing.assert_close(found[name].reshape(-1), right)


def test_phases_and_progress_are_told():
    given = problem()
    events = []
    monitor = Monitor(events.append)
    WoodFisher(samples=10).fit(given, every(given), monitor, 0)
    finished = [e.name for e in events if isinstance(e, PhaseFinished)]
    assert finished == ["gradients", "curvature"]
    labels = {e.label for e in events if isinstance(e, Progressed)}
    assert labels == {"Gradients", "Curvature"}
    assert set(monitor.timings) == {"gradients", "curvature"}
