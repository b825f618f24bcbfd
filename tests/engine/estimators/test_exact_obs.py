"""ExactOBS: elimination row by row against inverting anew at every step."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.curvature import sweep
from engine.curvature.covariance import input_moments
from engine.curvature.sweep import exact_updates, greedy_losses
from engine.errors import InputError, RunError
from engine.estimators import ExactOBS
from engine.estimators.exact_obs import by_row, damped
from engine.monitor import Control, Monitor, Stopped
from tests import reference
from tests.cases import BY_NAME, keep_all, keep_some, perceptron, problem


def rows(count: int = 5, width: int = 9) -> tuple[Tensor, Tensor, Tensor]:
    inputs = torch.randn(40, width).double() @ torch.randn(width, width).double()
    live = torch.rand(count, width) < 0.8
    live[0], live[1] = True, False
    return torch.randn(count, width).double() * live, live, inputs.T @ inputs / 40


def test_losses_are_those_of_greedy_elimination():
    weights, live, hessian = rows()
    found = greedy_losses(weights, live, hessian)
    for weight, kept, losses in zip(weights, live, found, strict=True):
        place = kept.nonzero().flatten()
        part = hessian[place][:, place]
        largest, right = 0.0, torch.zeros_like(weight)
        for index, loss in reference.greedy_elimination(weight[place], part):
            largest = max(largest, loss)
            right[place[index]] = largest
        torch.testing.assert_close(losses, right, rtol=1e-8, atol=0)


def test_updates_are_exact_and_equal_to_the_greedy_trace():
    weights, live, hessian = rows()
    removed = live & (torch.rand(live.shape) < 0.5)
    found = exact_updates(weights, removed, live, hessian)
    for weight, gone, kept, step in zip(weights, removed, live, found, strict=True):
        place = kept.nonzero().flatten()
        part, chosen = hessian[place][:, place], gone[place]
        right = reference.joint_update(weight[place], chosen, part)
        torch.testing.assert_close(step[place], right, rtol=1e-8, atol=1e-10)
        trace = reference.greedy_update(weight[place], chosen, part)
        torch.testing.assert_close(step[place], trace, rtol=1e-8, atol=1e-10)
        assert not step[~kept].any()


def test_pieces_of_rows_change_nothing(monkeypatch):
    weights, live, hessian = rows()
    whole = by_row(greedy_losses, hessian[None], weights, live)
    monkeypatch.setattr(sweep, "BUDGET", 2 * 8 * 9 * 9)  # two rows at once
    assert torch.allclose(by_row(greedy_losses, hessian[None], weights, live), whole)


@pytest.mark.parametrize("name", ["mlp", "same", "strided", "grouped", "conv1d"])
def test_the_step_keeps_the_layers_outputs_as_close_as_it_can(name):
    given = problem(BY_NAME[name].build, BY_NAME[name].shape, 40)
    layer = next(n for n in given.names)
    kept, weight = keep_some(given), given.weights()[layer]
    method = ExactOBS(images=40, damping=1e-12)
    found = method.fit(given, kept, Monitor(), 0)
    removed = {n: kept[n] & (torch.rand(m.shape) < 0.5) for n, m in kept.items()}
    step = found.removal(given.weights(), removed).corrections[layer]
    module = given.model.get_submodule(layer.rpartition(".")[0])
    inputs = given.train.images
    inputs = inputs.flatten(1) if name == "mlp" else inputs
    wanted = module(inputs).detach()

    def error(change: Tensor) -> Tensor:
        weight.add_(change)
        found = (module(inputs) - wanted).square().sum()
        weight.sub_(change)
        return found

    survivors = kept[layer] & ~removed[layer]
    with torch.no_grad():
        least = error(step)
        for _ in range(5):
            assert error(step + 1e-3 * torch.randn_like(step) * survivors) > least
        assert least < error(torch.where(removed[layer], -weight, 0.0))
    assert torch.equal(step[removed[layer]], -weight[removed[layer]])
    assert not step[~kept[layer]].any()


def test_one_removal_costs_its_score():
    given = perceptron()
    kept, weights = keep_all(given), given.weights()
    found = ExactOBS(images=30, damping=1e-12).fit(given, kept, Monitor(), 0)
    scores, inputs = found.scores(weights)["0.weight"], given.train.images
    row, column = divmod(int(scores.argmin()), 6)
    removed = {name: torch.zeros_like(mask) for name, mask in kept.items()}
    removed["0.weight"][row, column] = True
    step = found.removal(weights, removed).corrections["0.weight"]
    change = F.linear(inputs, step).square().sum() / 30
    assert float(change) == pytest.approx(float(scores.min()), rel=1e-6)
    assert found.removal(weights, removed).predicted == (None, None)


def test_moments_come_from_the_network_as_it_is():
    given = perceptron(70)
    order = torch.arange(70)
    found = input_moments(given, order, given.fetch(), "ExactOBS", Monitor())
    hidden = F.relu(given.model[0](given.train.images)).detach()
    torch.testing.assert_close(found["2.weight"][0], hidden.T @ hidden / 70)


def test_dead_inputs_go_first_and_harm_nothing():
    given = perceptron()
    given.train.images[:, 2] = 0
    kept, weights = keep_all(given), given.weights()
    found = ExactOBS(images=30, damping=1e-9).fit(given, kept, Monitor(), 0)
    scores = found.scores(weights)["0.weight"]
    assert scores.isfinite().all()
    assert (scores[:, 2] == scores.min(1).values).all()
    assert torch.equal(damped(torch.zeros(1, 2, 2), 0.1)[0], torch.eye(2))


def test_float32_networks_land_on_exactly_zero():
    given = perceptron(dtype=torch.float32)
    kept, weights = keep_all(given), given.weights()
    found = ExactOBS(images=30).fit(given, kept, Monitor(), 0)
    removed = {n: torch.rand(w.shape) < 0.5 for n, w in weights.items()}
    for name, step in found.removal(weights, removed).corrections.items():
        assert step.dtype == torch.float32
        assert not (weights[name] + step)[removed[name]].any()
        assert found.scores(weights)[name].dtype == torch.float64


def test_other_layers_and_unused_ones_are_refused():
    for name, kind, text in (
        ("attention", InputError, "ExactOBS does not know"),
        ("uncalled", InputError, r"does not know the layers of inner\.weight"),
    ):
        given = problem(BY_NAME[name].build, BY_NAME[name].shape)
        with pytest.raises(kind, match=text):
            ExactOBS().fit(given, keep_all(given), Monitor(), 0)


def test_too_little_damping_is_an_error_that_says_so():
    given = perceptron()
    given.train.images[:] = given.train.images[:1]  # a moment of rank one
    with pytest.raises(RunError, match="no usable inverse") as caught:
        ExactOBS(damping=1e-300).fit(given, keep_all(given), Monitor(), 0)
    assert "estimator.damping" in caught.value.hint


def test_a_stop_is_heard_between_rows():
    given, control = perceptron(), Control()
    control.stop()
    with pytest.raises(Stopped):
        ExactOBS().fit(given, keep_all(given), Monitor(control=control), 0)
