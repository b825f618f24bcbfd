"""The loss for logits, log-probabilities and probabilities."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from engine.loss import Loss, detect

ENDS = {
    "logits": nn.Identity(),
    "log_probabilities": nn.LogSoftmax(1),
    "probabilities": nn.Softmax(1),
}
kinds = pytest.mark.parametrize("kind", ENDS)


def network(kind: str, scale: float = 1.0) -> nn.Module:
    body = nn.Linear(6, 4)
    with torch.no_grad():
        body.weight.mul_(scale)
    return nn.Sequential(body, ENDS[kind])


@kinds
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_outputs_are_told_apart(kind: str, scale: float):
    assert detect(network(kind, scale)(torch.randn(32, 6))) == kind


def test_two_classes_are_told_apart():
    logits = torch.randn(32, 2)
    assert detect(logits) == "logits"
    assert detect(logits.log_softmax(1)) == "log_probabilities"
    assert detect(logits.softmax(1)) == "probabilities"


def test_one_column_or_broken_outputs_count_as_logits():
    assert detect(torch.ones(8, 1)) == "logits"
    assert detect(torch.full((8, 3), float("nan"))) == "logits"


@kinds
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_every_kind_gives_the_cross_entropy_and_its_gradient(kind, smoothing):
    body, x, y = nn.Linear(6, 4), torch.randn(9, 6), torch.randint(0, 4, (9,))
    loss = Loss(kind, smoothing)
    found = loss.per_sample(ENDS[kind](body(x)), y)
    right = F.cross_entropy(body(x), y, reduction="none", label_smoothing=smoothing)
    torch.testing.assert_close(found, right)
    torch.testing.assert_close(loss.mean(ENDS[kind](body(x)), y), right.mean())
    (slope,) = torch.autograd.grad(found.sum(), body.weight)
    (expected,) = torch.autograd.grad(right.sum(), body.weight)
    torch.testing.assert_close(slope, expected)


def test_a_probability_of_zero_is_finite():
    found = Loss("probabilities").per_sample(
        torch.tensor([[1.0, 0.0]]), torch.tensor([1])
    )
    assert 80 < float(found) < 100


@kinds
def test_drawn_labels_follow_the_networks_distribution(kind: str):
    outputs = network(kind, 3.0)(torch.randn(1, 6)).expand(4000, -1)
    chances = torch.rand(4000, dtype=torch.float64)
    labels = Loss(kind).draw(outputs, chances)
    found = labels.bincount(minlength=4) / 4000
    right = {"logits": outputs.softmax(1), "log_probabilities": outputs.exp()}
    torch.testing.assert_close(
        found, right.get(kind, outputs)[0].detach(), atol=0.03, rtol=0
    )


def test_a_class_without_probability_is_never_drawn():
    rows = torch.tensor([[0.0, 0.5, 0.5, 0.0]]).expand(3, -1)
    ends = torch.tensor([0.0, 0.5, 1 - 2**-53], dtype=torch.float64)
    assert Loss("probabilities").draw(rows, ends).tolist() == [1, 2, 2]
