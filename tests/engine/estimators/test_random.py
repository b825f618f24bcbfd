"""Random: seeded, even, the same on every call."""

import torch

from engine.estimators import Random
from engine.monitor import Monitor


def scores(seed: int) -> dict:
    weights = {"a": torch.randn(40, 50), "b": torch.randn(40, 50)}
    curvature = Random().fit(None, {}, Monitor(), seed)
    first, again = curvature.scores(weights), curvature.scores(weights)
    assert all(torch.equal(first[name], again[name]) for name in weights)
    alone = curvature.scores({"b": weights["b"]})  # as one of several processes asks
    assert torch.equal(first["b"], alone["b"])
    return first


def test_the_seed_decides_and_layers_differ():
    first, again, other = scores(3), scores(3), scores(4)
    assert torch.equal(first["a"], again["a"])
    assert not torch.equal(first["a"], other["a"])
    assert not torch.equal(first["a"], first["b"])
    assert first["a"].dtype == torch.float64 and first["a"].shape == (40, 50)


def test_draws_are_even():
    drawn = scores(0)["a"].flatten()
    assert abs(float(drawn.mean()) - 0.5) < 0.03
    assert (drawn < 0.25).float().mean() - 0.25 < 0.05


def test_survivors_stay():
    weights = {"a": torch.tensor([1.0, -2.0])}
    removed = {"a": torch.tensor([True, False])}
    curvature = Random().fit(None, {}, Monitor(), 0)
    assert curvature.removal(weights, removed).corrections["a"].tolist() == [-1, 0]
    assert curvature.removal(weights, removed).predicted == (None, None)
