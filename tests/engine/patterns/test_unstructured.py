"""Unstructured: every weight is a unit of its own."""

import torch

from engine.allocation import GlobalThreshold
from engine.allocation.units import Units
from engine.patterns import Unstructured
from tests.given import Given


def test_unstructured_leaves_the_choice_to_the_allocation():
    scores = {"a": torch.rand(4, 5).double(), "b": torch.rand(7, 1).double()}
    masks = {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}
    pattern, allocation = Unstructured(), GlobalThreshold()
    found = pattern.choose(
        Given(scores), scores, masks, allocation, 0.5, dict.fromkeys(masks, 1.0)
    )
    units = {n: Units(s.reshape(-1), masks[n].reshape(-1)) for n, s in scores.items()}
    right, _ = allocation.choose(units, masks, 0.5)
    assert all(torch.equal(~found.masks[n].reshape(-1), right[n]) for n in masks)
    assert all(torch.equal(found.scores[n], scores[n]) for n in masks)
    assert found.thresholds["a"] == scores["a"][found.masks["a"]].min()
    assert pattern.limits(masks) == ({n: m.numel() for n, m in masks.items()}, ())
