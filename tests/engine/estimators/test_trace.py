"""Hessian trace: probes against the dense Hessian, groups, signs."""

import pytest
import torch
from torch import Tensor, nn

from engine.curvature.hessian import rademacher, trace_draws
from engine.errors import RunError
from engine.estimators import HessianTrace
from engine.estimators.trace import spread, standard_error
from engine.events import Traced
from engine.monitor import Control, Monitor, Stopped
from tests import reference
from tests.cases import BY_NAME, keep_all, keep_some, perceptron, problem


def smooth():
    return problem(
        lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), (4,), 70
    )


def dense(given) -> Tensor:
    return reference.hessian(
        given.model, given.names, given.train.images, given.train.labels
    )


def drawn(given, kept, draws: int, seed: int = 0, monitor: Monitor | None = None):
    order = torch.arange(len(given.train))  # 70 images are two pieces
    fetch = given.fetch()
    return trace_draws(given, order, fetch, draws, seed, kept, monitor or Monitor())


def whole(values: dict) -> Tensor:
    return torch.cat([each.flatten() for each in values.values()])


@pytest.mark.parametrize("keep", [keep_all, keep_some])
@pytest.mark.parametrize("name", ["smooth", "residual", "twice", "unused", "attention"])
def test_every_draw_is_the_product_with_the_dense_hessian(name, keep):
    given = (
        smooth()
        if name == "smooth"
        else problem(BY_NAME[name].build, BY_NAME[name].shape, 6)
    )
    kept, weights = keep(given), given.weights()
    matrix, found = dense(given), drawn(given, kept, 2, seed=3)
    for draw in range(2):
        probe = rademacher(weights, kept, 3, draw)
        flat = whole(probe)
        shares = (flat * (matrix @ flat)).split([w.numel() for w in weights.values()])
        for (layer, weight), share in zip(weights.items(), shares, strict=True):
            right = share.reshape(len(weight), -1).sum(1)
            torch.testing.assert_close(found[layer][draw], right, rtol=1e-8, atol=1e-12)


def test_the_mean_lies_within_its_standard_error():
    given = smooth()
    kept = keep_some(given)
    found = drawn(given, kept, 300)
    diagonal = dense(given).diag() * whole(kept)
    parts = diagonal.split([w.numel() for w in kept.values()])
    off = []
    for (name, mask), part in zip(kept.items(), parts, strict=True):
        error = found[name].mean(0) - part.reshape(len(mask), -1).sum(1)
        off.append(error / standard_error(found[name]))
    off = torch.cat(off)
    assert off.abs().max() < 4 and off.square().mean() < 2


def test_the_standard_error_falls_with_the_root_of_the_draws():
    draws = torch.randn(400, 50).double()
    ratio = standard_error(draws[:100]).mean() / standard_error(draws).mean()
    assert float(ratio) == pytest.approx(2, rel=0.1)
    assert float(standard_error(draws).mean()) == pytest.approx(0.05, rel=0.1)


@pytest.mark.parametrize("group", ["channel", "layer"])
def test_scores_of_a_group_add_up_to_its_statistic(group):
    given = smooth()
    kept, weights = keep_some(given), given.weights()
    found = HessianTrace(images=70, draws=20, group=group).fit(
        given, kept, Monitor(), 5
    )
    scores, draws = found.scores(weights), drawn(given, kept, 20, seed=5)
    for name, weight in weights.items():
        rows = len(weight) if group == "channel" else 1
        trace = draws[name].mean(0).reshape(rows, -1).sum(1)
        live = kept[name].reshape(rows, -1).sum(1)
        squares = weight.reshape(rows, -1).square().sum(1)
        right = trace.abs() / (2 * live) * squares
        each = scores[name].reshape(rows, -1).sum(1)
        torch.testing.assert_close(each, right, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("group", ["channel", "layer"])
def test_every_group_is_told_with_its_standard_error(group):
    given, events = smooth(), []
    kept, monitor = keep_some(given), Monitor(events.append)
    HessianTrace(images=70, draws=20, group=group).fit(given, kept, monitor, 5)
    (traced,) = [event for event in events if isinstance(event, Traced)]
    draws, unsure = drawn(given, kept, 20, seed=5), {}
    assert [layer.name for layer in traced.layers] == list(draws)
    for layer in traced.layers:
        found = draws[layer.name]
        whole = found.sum(1, True)
        each = found if group == "channel" else whole
        assert layer.groups == pytest.approx(each.mean(0).tolist())
        assert layer.errors == pytest.approx((each.std(0) / 20**0.5).tolist())
        assert layer.trace == pytest.approx(float(whole.mean()))
        assert layer.error == pytest.approx(float(whole.std() / 20**0.5))
        unsure[layer.name] = layer.error / abs(layer.trace)
    assert f"Least sure is {max(unsure, key=unsure.get)}: " in monitor.notices[0]


def test_negative_traces_count_by_size_and_are_told():
    draws = torch.tensor([[-4.0, 2.0], [-8.0, 4.0]])
    found = spread(draws, torch.ones(2, 3))
    assert found.tolist() == [2, 2, 2, 1, 1, 1]
    given = smooth()
    given.train.labels[:] = given.model(given.train.images).argmin(1)  # no minimum
    monitor = Monitor()
    method = HessianTrace(images=70, draws=10)
    scores = method.fit(given, keep_all(given), monitor, 0).scores(given.weights())
    assert all((each >= 0).all() for each in scores.values())
    assert "standard error" in monitor.notices[0]
    assert "negative trace; its size was taken" in monitor.notices[1]


def test_an_empty_channel_is_harmless():
    given = smooth()
    kept = keep_all(given)
    kept["0.weight"][2] = False
    given.weights()["0.weight"][2] = 0
    method = HessianTrace(images=70, draws=3)
    scores = method.fit(given, kept, Monitor(), 0).scores(given.weights())
    assert not scores["0.weight"][2].any() and scores["0.weight"].isfinite().all()


def test_flags_and_modes_come_back_and_a_stop_is_heard():
    given = perceptron()
    given.model.train()
    given.model[0].weight.requires_grad_(False)
    control = Control()
    control.stop()
    with pytest.raises(Stopped):
        drawn(given, keep_all(given), 3, monitor=Monitor(control=control))
    assert given.model.training and given.model[2].weight.requires_grad
    assert not given.model[0].weight.requires_grad


def test_no_images_is_an_error():
    given = perceptron(0)
    with pytest.raises(RunError, match="no training images"):
        HessianTrace().fit(given, keep_all(given), Monitor(), 0)
