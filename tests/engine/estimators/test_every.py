"""What every estimator of the table keeps to, on both devices."""

import pytest
import torch

from engine.curvature.groups import at, neighbours, subsets
from engine.estimators import ESTIMATORS, ExactOBS
from engine.monitor import Monitor
from tests.cases import Residual, keep_some, problem

every = pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device"
)


def method(kind):
    """With its defaults, but few draws."""
    small = {"samples": 20, "images": 20, "draws": 5, "iterations": 5}
    return kind(**{k: v for k, v in small.items() if k in kind.model_fields})


def fitted(kind, given, kept):
    found = method(kind).fit(given, kept, Monitor(), 3)
    weights = given.weights()
    removed = {n: kept[n] & (w.abs() < 0.1) for n, w in weights.items()}
    groups = {name: neighbours(mask, 2) for name, mask in kept.items()}
    losses = found.cheapest(weights, groups, subsets(2, 1))
    together = {name: each[0] for name, each in losses.items()}
    steps = found.removal(weights, removed).corrections
    return found.scores(weights), steps, together, removed


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_and_corrections_have_the_agreed_form(kind, dtype):
    given = problem(Residual, (2, 6, 6), dtype=dtype)
    kept, before = keep_some(given), dict(given.model.state_dict())
    given.model.train()
    scores, step, _, removed = fitted(kind, given, kept)
    for name, weight in given.weights().items():
        assert scores[name].dtype == torch.float64
        assert scores[name].shape == step[name].shape == weight.shape
        assert scores[name].isfinite().all() and step[name].isfinite().all()
        assert (scores[name][kept[name]] >= 0).all()
        assert removed[name].any() and step[name].dtype == dtype
        assert not (weight + step[name])[removed[name] | ~kept[name]].any()
    assert given.model.training
    for name, value in given.model.state_dict().items():
        assert torch.equal(value, before[name])


@every
def test_groups_have_a_best_subset_and_it_can_be_none(kind):
    given = problem(Residual, (2, 6, 6))
    kept, weights = keep_some(given), given.weights()
    found = method(kind).fit(given, kept, Monitor(), 3)
    scores, ways = found.scores(weights), subsets(2, 1)
    groups = {name: neighbours(mask, 2) for name, mask in kept.items()}
    groups["second.weight"] = groups["second.weight"][:0]
    every = torch.ones(1, 2, dtype=torch.bool)
    whole, half = (found.cheapest(weights, groups, taken) for taken in (every, ways))
    for name, inside in groups.items():
        each = at(scores[name].reshape(-1), inside)
        assert whole[name][0].dtype == torch.float64
        assert whole[name][0].shape == half[name][1].shape == (len(inside),)
        assert (whole[name][0] >= half[name][0].nan_to_num(posinf=0) - 1e-12).all()
        if kind is ExactOBS:  # whose scores are those of greedy elimination
            continue
        full = (inside < weights[name].numel()).all(1)
        single = each.masked_fill(~ways[half[name][1]], 0).sum(1)
        torch.testing.assert_close(half[name][0][full], each.amin(1)[full])
        torch.testing.assert_close(single[full], each.amin(1)[full])
        assert not whole[name][0][(inside == weights[name].numel()).all(1)].any()


@every
def test_the_same_seed_gives_the_same_bits(kind):
    given = problem(Residual, (2, 6, 6))
    kept = keep_some(given)
    one, two = fitted(kind, given, kept), fitted(kind, given, kept)
    for name in given.names:
        assert torch.equal(one[0][name], two[0][name])
        assert torch.equal(one[1][name], two[1][name])
        assert torch.equal(one[2][name], two[2][name])


@every
@needs_cuda
def test_a_gpu_gives_what_the_processor_gives(kind):
    given = problem(Residual, (2, 6, 6))
    kept = keep_some(given)
    right = fitted(kind, given, kept)
    given.model.cuda()
    given.train.images = given.train.images.cuda()
    given.train.labels = given.train.labels.cuda()
    found = fitted(kind, given, {name: mask.cuda() for name, mask in kept.items()})
    for name in given.names:
        for mine, theirs in zip(found[:3], right[:3], strict=True):
            assert mine[name].is_cuda
            torch.testing.assert_close(
                mine[name].cpu(), theirs[name], rtol=1e-6, atol=1e-9
            )
