"""Problem: weights and gradients of a network."""

import torch
from torch import nn

from engine.loss import Loss
from engine.monitor import Monitor
from engine.problem import Problem
from tests.cases import Images


def problem() -> Problem:
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    split = Images(torch.randn(10, 4), torch.randint(0, 3, (10,)))
    return Problem(model, ("0.weight", "2.weight"), split, Loss())


def test_weights_share_storage_and_carry_no_graph():
    given = problem()
    weights = given.weights()
    assert list(weights) == ["0.weight", "2.weight"]
    assert not weights["0.weight"].requires_grad
    weights["0.weight"].zero_()
    assert given.model[0].weight.abs().sum() == 0


def test_gradients_of_removed_weights_are_zero():
    given = problem()
    keep = torch.rand(5, 4) < 0.5
    masks = {"0.weight": keep, "2.weight": torch.ones(3, 5, dtype=torch.bool)}
    free = given.gradients(6, 1, 3, {}, Monitor())
    held = given.gradients(6, 1, 3, masks, Monitor())
    flat = keep.reshape(-1)
    assert held["0.weight"].shape == (6, 20)
    assert (held["0.weight"][:, ~flat] == 0).all()
    assert torch.equal(held["0.weight"][:, flat], free["0.weight"][:, flat])
    assert torch.equal(held["2.weight"], free["2.weight"])


def test_the_same_seed_gives_the_same_gradients():
    given = problem()
    first = given.gradients(6, 1, 3, {}, Monitor())["0.weight"]
    again = given.gradients(6, 1, 3, {}, Monitor())["0.weight"]
    other = given.gradients(6, 1, 4, {}, Monitor())["0.weight"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_true_fisher_takes_labels_from_the_network_however_images_are_batched():
    given = problem()
    images, _ = given.train.batch(torch.arange(10))
    fetch = given.fetch("true", seed=4)
    pieces = [fetch(torch.tensor([i, 9 - i])) for i in range(10)]
    _, losses = fetch(torch.arange(10))
    outputs = given.model(images).detach()
    whole = losses(outputs)
    for i, (piece, each) in enumerate(pieces):
        assert torch.equal(each(outputs[[i, 9 - i]]), whole[[i, 9 - i]])
        assert torch.equal(piece, images[[i, 9 - i]])
    other = given.fetch("true", seed=5)(torch.arange(10))[1](outputs)
    assert not torch.equal(whole, other)
    one = given.gradients(10, 1, 4, {}, Monitor(), "true")
    two = given.gradients(10, 1, 4, {}, Monitor(), "empirical")
    assert not torch.equal(one["2.weight"], two["2.weight"])


def test_empirical_fisher_is_the_default():
    given = problem()
    default = given.gradients(6, 1, 3, {}, Monitor())
    named = given.gradients(6, 1, 3, {}, Monitor(), "empirical")
    assert all(torch.equal(default[name], named[name]) for name in default)
