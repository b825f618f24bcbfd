"""The loss along a step is that of all its images."""

import pytest
import torch
from torch.nn import functional as F

from engine.curvature import descent
from engine.curvature.descent import mean_loss
from engine.monitor import Monitor
from tests.cases import perceptron


def test_the_mean_loss_is_of_every_batch(monkeypatch):
    monkeypatch.setattr(descent, "BATCH", 8)
    given = perceptron(30)
    images = torch.randperm(30)[:27]  # the last batch is a smaller one
    with torch.no_grad():
        outputs = given.model(given.train.images[images])
    right = F.cross_entropy(outputs, given.train.labels[images])
    found = mean_loss(given, images, Monitor())
    assert found == pytest.approx(float(right), rel=1e-6)  # float32 logits
