"""Unstructured: the allocation decides alone."""

import torch

from engine.allocation import GlobalThreshold
from engine.patterns import Unstructured


def test_unstructured_leaves_the_choice_to_the_allocation():
    scores = {"a": torch.rand(4, 5).double(), "b": torch.rand(7).double()}
    masks = {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}
    allocation = GlobalThreshold()
    found = Unstructured().choose(scores, masks, allocation, 0.5)
    right = allocation.choose(scores, masks, 0.5)
    assert all(torch.equal(found.masks[n], right.masks[n]) for n in masks)
    assert found.thresholds == right.thresholds
