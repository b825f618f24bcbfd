"""First-order Taylor: the mean gradient and what it predicts."""

import pytest
import torch
from torch.nn import functional as F

from engine.errors import RunError
from engine.estimators import Taylor
from engine.monitor import Monitor
from tests.cases import keep_all, keep_some, perceptron


def gradients(given) -> dict:
    """Of the mean loss over all images, by plain autograd."""
    images, labels = given.train.images, given.train.labels
    weights = [given.model.get_parameter(name) for name in given.names]
    loss = F.cross_entropy(given.model(images), labels)
    return dict(zip(given.names, torch.autograd.grad(loss, weights), strict=True))


@pytest.mark.parametrize("images", [64 * 2 + 3, 200])
def test_scores_are_the_size_of_weight_times_mean_gradient(images):
    given = perceptron(64 * 2 + 3)
    monitor = Monitor()
    found = Taylor(images=images).fit(given, keep_all(given), monitor, 0)
    scores = found.scores(given.weights())
    for name, slope in gradients(given).items():
        right = (given.weights()[name] * slope).abs()
        torch.testing.assert_close(scores[name], right, rtol=1e-10, atol=1e-14)
    assert bool(monitor.notices) == (images == 200)  # more than there are


def test_float32_networks_score_in_float64():
    given = perceptron(dtype=torch.float32)
    found = Taylor().fit(given, keep_all(given), Monitor(), 0)
    scores = found.scores(given.weights())
    for name, slope in gradients(given).items():
        assert scores[name].dtype == torch.float64
        right = (given.weights()[name] * slope).abs().double()
        torch.testing.assert_close(scores[name], right, rtol=1e-4, atol=1e-7)


def test_a_small_removal_changes_the_loss_as_predicted():
    given = perceptron()
    weights = given.weights()
    removed = {name: torch.rand_like(w) < 0.5 for name, w in weights.items()}
    for name, weight in weights.items():  # their removal costs little: almost linear
        weight[removed[name]] *= 1e-6
    found = Taylor().fit(given, keep_all(given), Monitor(), 0)
    single, joint = found.removal(weights, removed).predicted
    step = found.removal(weights, removed).corrections
    images, labels = given.train.images, given.train.labels
    before = F.cross_entropy(given.model(images), labels)
    for name, weight in weights.items():
        weight.add_(step[name])
        assert not weight[removed[name]].any()
    after = F.cross_entropy(given.model(images), labels)
    assert float((after - before).detach()) == pytest.approx(joint, rel=1e-4)
    assert single >= abs(joint)


def test_removed_weights_score_zero():
    given = perceptron()
    kept = keep_some(given)
    scores = Taylor().fit(given, kept, Monitor(), 0).scores(given.weights())
    assert not any(scores[name][~kept[name]].any() for name in given.names)


def test_the_seed_chooses_the_images():
    given = perceptron()
    weights = given.weights()
    first, again, other = (
        Taylor(images=5).fit(given, {}, Monitor(), seed).scores(weights)
        for seed in (1, 1, 2)
    )
    assert torch.equal(first["0.weight"], again["0.weight"])
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_no_images_is_an_error():
    given = perceptron(0)
    with pytest.raises(RunError, match="no training images"):
        Taylor().fit(given, {}, Monitor(), 0)
