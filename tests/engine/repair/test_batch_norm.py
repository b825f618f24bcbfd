"""Batch-norm re-estimation."""

import pytest
import torch
from torch import nn

from engine.data import Digits
from engine.errors import Stopped
from engine.monitor import Control, Monitor
from engine.repair import reestimate_batch_norm


@pytest.fixture(scope="module")
def train():
    return Digits().load(torch.device("cpu"), 0, Monitor()).train


def test_statistics_are_those_of_the_images_seen(train):
    norm = nn.BatchNorm2d(1)
    model = nn.Sequential(norm, nn.Dropout(0.5))
    reestimate_batch_norm(model, train, len(train), len(train), 0, Monitor())
    images = train.batch(torch.arange(len(train)))[0]
    assert float(norm.running_mean) == pytest.approx(float(images.mean()), abs=1e-5)
    assert float(norm.running_var) == pytest.approx(float(images.var()), rel=1e-4)
    assert norm.momentum == 0.1 and not norm.training


def test_a_stop_leaves_the_old_statistics(train):
    norm = nn.BatchNorm2d(1)
    norm.running_mean.fill_(7.0)
    control = Control()
    control.stop()
    with pytest.raises(Stopped):
        reestimate_batch_norm(norm, train, 100, 10, 0, Monitor(control=control))
    assert float(norm.running_mean) == 7.0 and norm.momentum == 0.1


def test_a_network_without_batch_norm_is_told(train):
    notices = []
    reestimate_batch_norm(nn.Flatten(), train, 10, 5, 0, Monitor(notices.append))
    assert "no batch norm" in notices[0].message
