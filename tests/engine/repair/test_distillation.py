"""The dense network's answers learned without labels, and what must not change."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from engine.data import Digits
from engine.errors import RunError, Stopped
from engine.loss import Loss
from engine.monitor import Control, Monitor
from engine.repair import Distillation, reestimate_batch_norm
from engine.settings import Repair

SETTINGS = Repair(distil="end", distil_samples=300, passes=12, learning_rate=3e-3)


@pytest.fixture(scope="module")
def train():
    return Digits().load(torch.device("cpu"), 0, Monitor()).train


@pytest.fixture
def dense(train):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(288, 10),
    ).eval()  # fmt: skip
    with torch.no_grad():
        model[-1].weight.mul_(10)  # answers that are far from even
    reestimate_batch_norm(model, train, 600, 100, 0, Monitor())
    return model


@pytest.fixture
def pruned(dense):
    """Without the smaller half of its weights; and what is kept."""
    model = copy.deepcopy(dense)
    masks = {
        name: weight.abs() > weight.abs().median()
        for name, weight in model.named_parameters()
        if weight.dim() > 1
    }
    with torch.no_grad():
        for name, mask in masks.items():
            model.get_parameter(name).mul_(mask)
    return model, masks


def apart(model, dense, train):
    images, _ = train.batch(torch.arange(300))
    with torch.no_grad():
        found = F.cross_entropy(model(images), dense(images).softmax(1))
    return float(found)


def test_the_network_answers_more_like_the_dense_one(dense, pruned, train):
    model, masks = pruned
    before = apart(model, dense, train)
    distil = Distillation(dense, train, Loss(), SETTINGS, 32, 0)
    distil(model, masks, Monitor())
    least = apart(dense, dense, train)
    assert apart(model, dense, train) - least < 0.4 * (before - least)
    assert not model.training
    for name, mask in masks.items():
        assert not model.get_parameter(name)[~mask].any()


def test_labels_are_not_used_and_the_seed_decides(dense, pruned, train):
    class Wrong:
        def __len__(self):
            return len(train)

        def batch(self, indices, generator=None):
            images, labels = train.batch(indices, generator)
            return images, torch.full_like(labels, -(10**9))

    model, masks = pruned
    found = []
    for split in (train, Wrong()):
        net = copy.deepcopy(model)
        Distillation(dense, split, Loss(), SETTINGS, 32, 0)(net, masks, Monitor())
        found.append(net[0].weight)
    assert torch.equal(*found)


def test_probabilities_are_taken_for_what_they_are(dense, pruned, train):
    model, masks = pruned
    logits = copy.deepcopy(model)
    found = []
    for kind, end in (("logits", nn.Identity()), ("probabilities", nn.Softmax(1))):
        teacher = nn.Sequential(*copy.deepcopy(dense), end)
        net = nn.Sequential(*copy.deepcopy(logits), end)
        Distillation(teacher, train, Loss(kind), SETTINGS, 32, 0)(net, masks, Monitor())
        found.append(net[0].weight)
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-3)


def test_a_stop_leaves_the_network_as_it_was(dense, pruned, train):
    model, masks = pruned
    before = copy.deepcopy(model.state_dict())
    control = Control()
    control.stop()
    with pytest.raises(Stopped):
        Distillation(dense, train, Loss(), SETTINGS, 32, 0)(
            model, masks, Monitor(control=control)
        )
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert not model.training


def test_divergence_is_a_sentence_and_undone(dense, pruned, train):
    model, masks = pruned
    with torch.no_grad():
        model[0].bias[0] = torch.inf
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RunError, match="diverged"):
        Distillation(dense, train, Loss(), SETTINGS, 32, 0)(model, masks, Monitor())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
