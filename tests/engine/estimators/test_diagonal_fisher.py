"""Diagonal Fisher: squares of single-image gradients, streamed."""

import pytest
import torch

from engine.estimators import DiagonalFisher, WoodFisher
from engine.gradients import moments
from engine.monitor import Monitor
from tests import reference
from tests.cases import CASES, keep_all, keep_some, perceptron, problem


def squares(given) -> dict:
    rows = reference.gradient_rows(
        given.model, given.names, given.train.images, given.train.labels, 1
    )
    return {name: reference.fisher(each, 0).diag() for name, each in rows.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_scores_are_half_w_squared_times_the_fisher_diagonal(case, monkeypatch):
    monkeypatch.setattr(moments, "MOST", 4)  # pieces of 4, 4, 2
    given = problem(case.build, case.shape, 10)
    monitor = Monitor()
    found = DiagonalFisher(images=10).fit(given, keep_all(given), monitor, 0)
    scores = found.scores(given.weights())
    for name, diagonal in squares(given).items():
        right = given.weights()[name].reshape(-1) ** 2 * diagonal / 2
        assert scores[name].dtype == torch.float64
        torch.testing.assert_close(
            scores[name].reshape(-1), right, rtol=1e-9, atol=1e-14
        )
    assert (
        len(monitor.notices)
        == len(set(monitor.notices))
        == bool(case.vmapped or case.looped)
    )


def test_tiny_gradients_keep_their_ranks():
    given = perceptron(dtype=torch.float32)
    with torch.no_grad():
        given.model[2].bias[:] = torch.tensor([30.0, 0, 0])  # the network is certain
    given.train.labels[:] = 0
    found = DiagonalFisher().fit(given, keep_all(given), Monitor(), 0)
    scores = found.scores(given.weights())["2.weight"]
    assert 0 < scores.max() < 1e-20
    assert len(scores[scores > 0].unique()) > 5


def test_prediction_is_the_quadratic_of_the_diagonal():
    given = perceptron()
    found = DiagonalFisher().fit(given, keep_all(given), Monitor(), 0)
    weights = given.weights()
    removed = {name: torch.rand_like(w) < 0.5 for name, w in weights.items()}
    step = found.removal(weights, removed).corrections
    right = sum(
        reference.quadratic(step[name].reshape(-1), diagonal.diag())
        for name, diagonal in squares(given).items()
    )
    single, joint = found.removal(weights, removed).predicted
    assert single == joint == pytest.approx(right, rel=1e-9)


def test_it_is_woodfisher_with_blocks_of_one_and_little_damping():
    given = perceptron()
    kept = keep_some(given)
    weights = given.weights()
    blocks = WoodFisher(samples=30, block_size=1, damping=1e-14, compensation="none")
    wood = blocks.fit(given, kept, Monitor(), 0).scores(weights)
    mine = DiagonalFisher(images=30).fit(given, kept, Monitor(), 0).scores(weights)
    for name in weights:
        torch.testing.assert_close(mine[name], wood[name], rtol=1e-6, atol=1e-12)


def test_true_fisher_draws_labels_from_the_network():
    given = perceptron(400)
    weights = given.weights()
    drawn = [
        DiagonalFisher(images=400, fisher="true").fit(given, {}, Monitor(), seed)
        for seed in range(20)
    ]
    found = sum(each.scores(weights)["2.weight"] for each in drawn) / len(drawn)
    probabilities = given.model(given.train.images).softmax(1).detach()
    right = torch.zeros_like(found)
    for label in range(3):  # the expectation over labels, image by image
        given.train.labels[:] = label
        rows = reference.gradient_rows(
            given.model, given.names, given.train.images, given.train.labels, 1
        )["2.weight"]
        mean = (probabilities[:, label, None] * rows**2).mean(0)
        right += weights["2.weight"] ** 2 * mean.reshape(right.shape) / 2
    assert (found - right).norm() < 0.05 * right.norm()
