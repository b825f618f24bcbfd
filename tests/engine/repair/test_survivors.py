"""The masked normal equations."""

import pytest
import torch

from engine.repair.survivors import error, refit
from tests.reference import surviving_fit


def problem(positions=300, fan_in=40, channels=12):
    """Inputs with strong common parts, as after a ReLU."""
    common = torch.randn(positions, 5).double() @ torch.randn(5, fan_in).double()
    inputs = (common + 0.3 * torch.randn(positions, fan_in).double()).relu()
    targets = torch.randn(positions, channels).double()
    kept = torch.rand(channels, fan_in) < 0.4
    return inputs, targets, torch.randn(channels, fan_in).double() * kept, kept


def products(inputs, targets):
    return (inputs.T @ inputs)[None], (targets.T @ inputs)[None]


@pytest.mark.parametrize("ridge", [1e-4, 1e-2])
def test_equal_to_row_by_row_least_squares(ridge):
    inputs, targets, weights, kept = problem()
    gram, cross = products(inputs, targets)
    found, residual = refit(gram, cross, weights[None], kept[None], ridge)
    truth = surviving_fit(inputs, targets, weights, kept, ridge)
    assert residual < 1e-8
    assert torch.allclose(found[0], truth, atol=1e-6, rtol=1e-6)
    assert not found[0][~kept].any()


def test_a_metric_couples_the_channels():
    inputs, targets, weights, kept = problem(fan_in=12, channels=5)
    gram, cross = products(inputs, targets)
    root = torch.randn(5, 5).double()
    metric = root @ root.T + 0.1 * torch.eye(5).double()
    found, residual = refit(gram, cross, weights[None], kept[None], 1e-3, metric[None])
    live = kept.flatten()
    pull = 1e-3 * gram[0].diagonal().mean()
    system = torch.kron(metric, gram[0])[live][:, live]
    system += pull * torch.eye(len(system)).double()
    right = (metric @ cross[0]).flatten()[live] + pull * weights.flatten()[live]
    truth = torch.zeros(live.shape).double()
    truth[live] = torch.linalg.solve(system, right)
    assert residual < 1e-8
    assert torch.allclose(found[0].flatten(), truth, atol=1e-6, rtol=1e-6)


def test_dead_inputs_and_empty_channels_stay_finite():
    inputs, targets, weights, kept = problem()
    inputs[:, 3], kept[0], weights[0] = 0.0, False, 0.0
    gram, cross = products(inputs, targets)
    found, _ = refit(gram, cross, weights[None], kept[None], 1e-3)
    assert torch.equal(found[0][:, 3], weights[:, 3]) and not found[0][0].any()
    silent, _ = refit(gram * 0, cross * 0, weights[None], kept[None], 1e-3)
    assert torch.equal(silent[0], weights)


def test_error_is_that_of_the_outputs():
    inputs, targets, weights, _ = problem()
    gram, cross = products(inputs, targets)
    square = float(targets.square().sum())
    wanted = (inputs @ weights.T - targets).norm() / targets.norm()
    assert error(gram, cross, square, weights[None]) == pytest.approx(float(wanted))
    assert error(gram, cross * 0, 0.0, weights[None]) == 0.0
