"""Magnitude: scores without data."""

import torch

from engine.estimators import Magnitude
from engine.monitor import Monitor


def test_magnitude_scores_sizes_and_only_zeroes():
    weights = {"a": torch.tensor([[3.0, -4.0], [0.5, 0.0]])}
    removed = {"a": torch.tensor([[False, False], [True, False]])}
    curvature = Magnitude().fit(None, {}, Monitor(), 0)
    scores = curvature.scores(weights)["a"]
    assert scores.dtype == torch.float64
    assert scores.tolist() == [[3, 4], [0.5, 0]]
    step = curvature.removal(weights, removed).corrections["a"]
    assert step.tolist() == [[0, 0], [-0.5, 0]]
    assert curvature.removal(weights, removed).predicted == (None, None)
