"""Greedy elimination in Fisher blocks against removal one by one, anew each time."""

import pytest
import torch
from torch import Tensor

from engine.curvature import sweep
from engine.curvature.block_fishers import block_fishers
from engine.curvature.fisher import BlockFisher
from engine.curvature.obs import ObsCurvature
from engine.curvature.sweep import eliminate
from engine.errors import InputError, RunError, Stopped
from engine.estimators import MFAC, WoodTaylor
from engine.gradients.pages import Pages, Storage
from engine.monitor import Control, Monitor
from engine.planning import activations, memory
from engine.planning.budget import decide
from engine.recipe import parse
from tests import reference
from tests.cases import keep_some, perceptron

NAME, NUMEL, DAMPING = "layer", 22, 1e-3
fishers = pytest.mark.parametrize(
    ("samples", "size"), [(5, 0), (5, 8), (40, 0), (40, 8), (5, 1)]
)


def layer(samples: int) -> tuple[Tensor, Tensor, Tensor]:
    mix = torch.randn(NUMEL, NUMEL) / NUMEL**0.5 + torch.eye(NUMEL)
    live = torch.rand(NUMEL) < 0.8
    live[8:11] = True
    return torch.randn(samples, NUMEL) @ mix * live, torch.randn(NUMEL) * live, live


def curvature(rows, live: Tensor, size: int, monitor=None, **options) -> ObsCurvature:
    inverses = block_fishers(
        {NAME: rows}, {NAME: live}, size, DAMPING, monitor or Monitor()
    )
    return ObsCurvature(inverses, order="greedy", **options)


def traces(rows: Tensor, weights: Tensor, live: Tensor, size: int) -> list:
    """For every block, (position, loss of its step) in greedy order."""
    found = []
    for block in torch.arange(NUMEL).split(size or NUMEL):
        place = block[live[block]]
        dense = reference.fisher(rows[:, place], DAMPING)
        steps = reference.greedy_elimination(weights[place], dense)
        found.append([(int(place[index]), loss) for index, loss in steps])
    return found


@fishers
@pytest.mark.parametrize("panel", [4, sweep.PANEL])
def test_scores_are_the_losses_of_the_greedy_steps(monkeypatch, samples, size, panel):
    monkeypatch.setattr(sweep, "PANEL", panel)
    rows, weights, live = layer(samples)
    right = torch.zeros(NUMEL).double()
    for trace in traces(rows, weights, live, size):
        highest = 0.0
        for position, loss in trace:
            highest = max(highest, loss)
            right[position] = highest
    found = curvature(rows, live, size).scores({NAME: weights})[NAME]
    torch.testing.assert_close(found, right, rtol=1e-7, atol=0)


@fishers
def test_every_threshold_takes_the_first_of_each_trace_and_joint_is_the_trace(
    samples, size
):
    rows, weights, live = layer(samples)
    dense = reference.block_fisher(rows, DAMPING, size)
    found = curvature(rows, live, size, compensation="joint")
    scores = found.scores({NAME: weights})[NAME]
    for threshold in scores[live].sort().values[::3]:
        removed = live & (scores <= threshold)
        step = torch.zeros(NUMEL).double()
        inverse, now = torch.linalg.inv(dense), weights.double().clone()
        for trace in traces(rows, weights, live, size):
            order = [position for position, _ in trace]
            count = int(removed[order].sum())
            assert removed[order[:count]].all()
            for q in order[:count]:  # one by one, as CAP
                now -= now[q] / inverse[q, q] * inverse[:, q]
                inverse -= torch.outer(inverse[:, q], inverse[q]) / inverse[q, q]
        step = now - weights.double()
        asked = found.removal({NAME: weights.double()}, {NAME: removed}).corrections[
            NAME
        ]
        torch.testing.assert_close(asked, step, rtol=1e-6, atol=1e-8)


def test_every_count_takes_the_first_of_the_trace():
    """Also among weights that cheaper ones hid."""
    live, hidden = torch.ones(NUMEL, dtype=torch.bool), 0
    for _ in range(10):
        rows = torch.randn(12, 4) @ torch.randn(4, NUMEL) + 0.3 * torch.randn(12, NUMEL)
        weights = torch.randn(NUMEL)
        scores = curvature(rows.clone(), live, 0).scores({NAME: weights})[NAME]
        trace = reference.greedy_elimination(weights, reference.fisher(rows, DAMPING))
        assert scores.argsort().tolist() == [position for position, _ in trace]
        losses = torch.tensor([loss for _, loss in trace])
        hidden += int((losses.diff() < 0).sum())
    assert hidden


def test_one_elimination_tells_of_every_sparsity(monkeypatch):
    rows, weights, live = layer(40)
    found, made = curvature(rows, live, 6), []
    greedy = BlockFisher.greedy
    monkeypatch.setattr(
        BlockFisher, "greedy", lambda self, w: made.append(1) or greedy(self, w)
    )
    first = found.scores({NAME: weights})[NAME]
    torch.testing.assert_close(found.scores({NAME: weights})[NAME], first)
    assert len(made) == 1
    weights[live.nonzero()[0]] *= 2
    assert not torch.equal(found.scores({NAME: weights})[NAME], first)
    assert len(made) == 2


def test_greedy_order_loses_less_where_weights_are_correlated():
    live, losses = torch.ones(NUMEL, dtype=torch.bool), []
    for _ in range(10):
        rows, weights = torch.randn(12, 3) @ torch.randn(3, NUMEL), torch.randn(NUMEL)
        rows = rows + 0.3 * torch.randn(12, NUMEL)
        inverses = curvature(rows, live, 0)._inverses
        for order in ("independent", "greedy"):
            found = ObsCurvature(inverses, order=order)
            scores = found.scores({NAME: weights})[NAME]
            removed = torch.zeros_like(live)
            removed[scores.argsort()[: NUMEL // 2]] = True
            losses.append(found.removal({NAME: weights}, {NAME: removed}).predicted[1])
    assert sum(losses[1::2]) < 0.9 * sum(losses[::2])


@pytest.mark.parametrize("samples", [5, 40])
def test_pages_and_work_space_change_nothing(monkeypatch, tmp_path, samples):
    rows, weights, live = layer(samples)
    right = curvature(rows.clone(), live, 6).scores({NAME: weights})[NAME]
    monkeypatch.setattr("engine.gradients.pages.PAGE", 1)
    monkeypatch.setattr(sweep, "BUDGET", 1)
    pages = Pages(Storage(tmp_path), samples, torch.zeros(NUMEL))
    pages[0:samples] = rows
    for given in (rows, pages):
        found = curvature(given, live, 6).scores({NAME: weights})[NAME]
        torch.testing.assert_close(found, right)


def test_weights_by_themselves_go_in_the_independent_order():
    rows, weights, live = layer(40)
    found = curvature(rows, live, 1)
    single = ObsCurvature(found._inverses).scores({NAME: weights})[NAME]
    torch.testing.assert_close(found.scores({NAME: weights})[NAME], single)


def test_woodtaylor_and_mfac_eliminate_as_well():
    given = perceptron()
    kept, weights = keep_some(given), given.weights()
    for kind in (WoodTaylor, MFAC):
        method = kind(samples=20, damping=1e-2, order="greedy", compensation="joint")
        found = method.fit(given, kept, Monitor(), 0)
        single = method.model_copy(update={"order": "independent"})
        plain = single.fit(given, kept, Monitor(), 0).scores(weights)
        scores = found.scores(weights)
        lowest = min(plain, key=lambda name: float(plain[name][kept[name]].min()))
        alive = kept[lowest]
        # the first to go has nothing to make up for, the others have
        first = scores[lowest][alive].min()
        torch.testing.assert_close(first, plain[lowest][alive].min())
        assert not torch.allclose(scores[lowest][alive], plain[lowest][alive])


def test_an_inverse_that_is_not_positive_definite_is_a_sentence(monkeypatch):
    weights, live = torch.ones(1, 3).double(), torch.ones(1, 3, dtype=torch.bool)
    with pytest.raises(torch.linalg.LinAlgError):
        eliminate(weights, live, torch.ones(1, 3, 3).double())
    rows, weights, live = layer(5)
    found = curvature(rows, live, 0)
    monkeypatch.setattr(
        type(found._inverses[NAME]._blocks),
        "among",
        lambda self, part, slots: torch.ones(1, 1, *slots.shape[2:] * 2).double(),
    )
    with pytest.raises(RunError, match="curvature of layer has no usable inverse"):
        found.scores({NAME: weights})


def test_a_stop_is_heard_between_blocks():
    control = Control()
    rows, weights, live = layer(5)
    found = curvature(rows, live, 6, Monitor(control=control))
    control.stop()
    with pytest.raises(Stopped):
        found.scores({NAME: weights})


def test_wide_blocks_are_refused_before_the_start(monkeypatch, tmp_path):
    size = memory.Extent(10**7, (10**6, 1000), (3, 32, 32), 1000, 100, 100)
    monkeypatch.setattr(activations, "passes", lambda *_: {})

    def decided(**estimator):
        given = parse(
            {"estimator": {"order": "greedy", **estimator}, "machine": {"memory": 64}}
        )
        place = (torch.device("cpu"), tmp_path)
        return decide(given, None, ("a", "b"), size, *place)

    for wide in ({"block_size": 0}, {"block_size": 5000}, {"kind": "mfac"}):
        with pytest.raises(InputError, match="too wide") as caught:
            decided(**wide)
        assert "estimator.block_size" in caught.value.hint
    assert decided(auto_block=True).block_size == 2000
    narrow = decided(block_size=100).phases["selection"]
    assert decided(block_size=2000).phases["selection"] > narrow


def test_greedy_order_goes_with_single_weights_only():
    with pytest.raises(InputError, match="unstructured pattern"):
        parse({"estimator": {"order": "greedy"}, "pattern": {"kind": "groups"}})
