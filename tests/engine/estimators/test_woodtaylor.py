"""WoodTaylor: a capped Newton step, then Optimal Brain Surgeon."""

from dataclasses import replace

import pytest
import torch

from engine.curvature.descent import best_share, mean_loss
from engine.estimators import WoodFisher, WoodTaylor
from engine.estimators.woodtaylor import SEPARATE, everywhere
from engine.monitor import Monitor
from engine.problem import draw
from engine.sharing.processes import Ranks
from tests import reference
from tests.cases import keep_all, keep_some, perceptron

FREE = {"samples": 12, "damping": 0.1, "longest_step": 10, "measured": False}


def mean_gradients(given, kept) -> dict:
    rows = reference.gradient_rows(
        given.model, given.names, given.train.images, given.train.labels, 30
    )
    return {name: each[0] * kept[name].reshape(-1) for name, each in rows.items()}


def fishers(given, kept, damping: float, size: int) -> dict:
    rows = given.gradients(12, 1, 0, kept, Monitor())
    return {n: reference.block_fisher(r, damping, size) for n, r in rows.items()}


@pytest.mark.parametrize("size", [0, 4])
@pytest.mark.parametrize("keep", [keep_all, keep_some])
@pytest.mark.parametrize(
    ("kind", "update"),
    [("sum", reference.summed_updates), ("joint", reference.joint_update)],
)
def test_scores_and_updates_follow_the_formula(size, keep, kind, update):
    given = perceptron()
    kept = keep(given)
    weights = given.weights()
    method = WoodTaylor(**FREE, block_size=size, compensation=kind, gradient_images=30)
    found = method.fit(given, kept, Monitor(), 0)
    removed = {n: kept[n] & (torch.rand(w.shape) < 0.5) for n, w in weights.items()}
    step, scores = found.removal(weights, removed).corrections, found.scores(weights)
    slopes = mean_gradients(given, kept)
    for name, dense in fishers(given, kept, 0.1, size).items():
        newton = torch.linalg.solve(dense, slopes[name])
        moved = weights[name].reshape(-1) - newton
        right = reference.saliencies(moved, dense)
        torch.testing.assert_close(scores[name].reshape(-1), right)
        gone = removed[name].reshape(-1)
        right = update(moved, gone, dense) - newton
        right = torch.where(gone, -weights[name].reshape(-1), right)
        torch.testing.assert_close(step[name].reshape(-1), right)


def test_a_network_moves_towards_the_newton_point_even_if_nothing_goes():
    given = perceptron()
    kept, weights = keep_all(given), given.weights()
    found = WoodTaylor(**FREE, block_size=0).fit(given, kept, Monitor(), 0)
    nothing = {name: ~mask for name, mask in kept.items()}
    step, slopes = (
        found.removal(weights, nothing).corrections,
        mean_gradients(given, kept),
    )
    gain = 0
    for name, dense in fishers(given, kept, 0.1, 0).items():
        newton = torch.linalg.solve(dense, slopes[name])
        torch.testing.assert_close(step[name].reshape(-1), -newton)
        gain += float(slopes[name] @ newton) / 2
    assert found.removal(weights, nothing).predicted == pytest.approx((-gain, -gain))


def test_a_long_newton_step_is_shortened_and_told():
    given = perceptron()
    kept, weights = keep_all(given), given.weights()
    nothing = {name: ~mask for name, mask in kept.items()}
    steps, told = [], []
    for limit in (10, 1e-3):
        monitor = Monitor()
        method = WoodTaylor(**{**FREE, "damping": 0.01, "longest_step": limit})
        found = (
            method.fit(given, kept, monitor, 0).removal(weights, nothing).corrections
        )
        steps.append(torch.cat([each.flatten() for each in found.values()]))
        told.append([text for text in monitor.notices if "Newton" in text])
    size = torch.cat([weight.flatten() for weight in weights.values()]).norm()
    assert float(steps[1].norm() / size) == pytest.approx(1e-3)
    cosine = torch.cosine_similarity(steps[0], steps[1], dim=0)
    assert float(cosine) == pytest.approx(1)
    assert "shortened" not in told[0][0] and "shortened to 0.001" in told[1][0]


def test_every_process_knows_the_step_of_all_layers():
    class First(Ranks):
        rank, size = 0, 2

        def send(self, values, source):
            return values if source == 0 else values.fill_(-7)

    given = replace(perceptron(), ranks=First())
    held, numels = given.holders(), {n: w.numel() for n, w in given.weights().items()}
    mine = {
        name: torch.ones(numels[name], dtype=torch.float64)
        for name, rank in held.items()
        if rank == 0
    }
    found = everywhere(given, mine)
    assert set(held.values()) == {0, 1} and found.keys() == held.keys()
    for name, each in found.items():
        assert each.shape == (numels[name],) and each.unique() == (1, -7)[held[name]]


def test_the_measured_loss_falls_as_far_as_the_step_goes():
    given, monitor = perceptron(), Monitor()
    kept, weights = keep_all(given), given.weights()
    before = {name: weight.clone() for name, weight in weights.items()}
    method = WoodTaylor(samples=12, damping=1e-6, longest_step=10, gradient_images=20)
    found = method.fit(given, kept, monitor, 0)
    assert all(torch.equal(weights[name], before[name]) for name in weights)
    nothing = {name: ~mask for name, mask in kept.items()}
    order = draw(30, 30, 1, SEPARATE, monitor)[:, 0]  # the gradient has the first 20
    losses = [mean_loss(given, order, monitor)]
    for name, step in found.removal(weights, nothing).corrections.items():
        weights[name].add_(step)
    losses.append(mean_loss(given, order, monitor))
    assert losses[1] < losses[0]
    told = next(text for text in monitor.notices if "Newton" in text)
    assert f"{losses[1]:.3g} instead of {losses[0]:.3g}" in told


def test_a_step_that_leads_uphill_is_not_taken():
    given, monitor = perceptron(), Monitor()
    step = {
        name: torch.full((weight.numel(),), torch.nan)
        for name, weight in given.weights().items()
    }
    before = {name: weight.clone() for name, weight in given.weights().items()}
    images = torch.arange(30)
    share, start, least = best_share(given, step, 1.0, images, monitor)
    assert share == 0 and start == least == mean_loss(given, images, monitor)
    for name, weight in given.weights().items():
        assert torch.equal(weight, before[name])


def test_without_a_newton_step_it_is_woodfisher():
    given = perceptron()
    kept, weights = keep_all(given), given.weights()
    wood = WoodFisher(samples=12, damping=0.1).fit(given, kept, Monitor(), 0)
    taylor = WoodTaylor(samples=12, damping=0.1, longest_step=0).fit(
        given, kept, Monitor(), 0
    )
    right, found = wood.scores(weights), taylor.scores(weights)
    assert all(torch.equal(right[name], found[name]) for name in weights)


def test_the_fishers_own_gradients_can_serve_as_the_mean():
    given = perceptron()
    kept, weights = keep_all(given), given.weights()
    own = WoodTaylor(samples=30, gradient_images=0, measured=False).fit(
        given, kept, Monitor(), 0
    )
    all_images = WoodTaylor(samples=30, gradient_images=30, measured=False)
    right = all_images.fit(given, kept, Monitor(), 0).scores(weights)
    for name, found in own.scores(weights).items():
        torch.testing.assert_close(found, right[name])


def test_with_the_true_fisher_the_gradient_is_still_the_datas():
    given = perceptron()
    kept, weights = keep_all(given), given.weights()
    nothing = {name: ~mask for name, mask in kept.items()}
    method = WoodTaylor(
        samples=30, damping=1e6, gradient_images=0, fisher="true", measured=False
    )
    step = method.fit(given, kept, Monitor(), 0).removal(weights, nothing).corrections
    for name, slope in mean_gradients(given, kept).items():
        torch.testing.assert_close(
            step[name].reshape(-1), -slope / 1e6, rtol=1e-4, atol=0
        )
