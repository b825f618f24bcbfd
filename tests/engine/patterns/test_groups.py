"""Groups of 1 x K: whole, ranked by saliency, and as many as come nearest."""

import pytest
import torch

from engine.allocation import ALLOCATIONS, GlobalThreshold, Uniform
from engine.curvature.groups import neighbours
from engine.estimators import WoodFisher
from engine.monitor import Monitor
from engine.patterns import Groups
from tests import given as granted
from tests import reference
from tests.cases import Residual, keep_all, problem

allocations = pytest.mark.parametrize("kind", ALLOCATIONS)


def layers(*shapes):
    return {f"l{i}": torch.rand(shape).double() for i, shape in enumerate(shapes)}


def dense(scores):
    return {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}


def choose(scores, masks, sparsity, kind=GlobalThreshold, size=4):
    pattern = Groups(size=size)
    return granted.choose(kind(), scores, masks, sparsity, pattern)


def zeros(choice):
    return sum(int((~mask).sum()) for mask in choice.masks.values())


def assert_whole(choice, before, size):
    for name, mask in choice.masks.items():
        for group in neighbours(before[name], size):
            members = group[group < mask.numel()]
            assert len(mask.reshape(-1)[members].unique()) <= 1


@allocations
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.5, 0.777, 0.9])
def test_groups_go_whole_and_the_count_is_the_nearest(kind, sparsity):
    scores = layers((6, 8), (3, 4, 2, 2), (5, 12))
    masks = dense(scores)
    choice = choose(scores, masks, sparsity, kind)
    assert_whole(choice, masks, 4)
    wanted = round(sparsity * 156)
    reached = zeros(choice)
    if kind is not Uniform:
        assert abs(reached - wanted) <= 2
    else:  # every layer has its own nearest
        for name, mask in choice.masks.items():
            share = sparsity * mask.numel()
            assert abs(int((~choice.masks[name]).sum()) - share) <= 3
    assert bool(choice.notes) == (reached != wanted)
    if choice.notes:  # rounding is nothing to be warned of
        assert [note.level for note in choice.notes] == ["info"]
        assert (
            f"{reached} weights are zero instead of {wanted}"
            in choice.notes[-1].message
        )


def test_the_groups_that_cost_least_go_from_all_layers():
    scores = layers((4, 8), (6, 4))
    choice = choose(scores, dense(scores), 0.5)
    sums = {
        (name, number): float(scores[name].reshape(-1)[group].sum())
        for name in scores
        for number, group in enumerate(neighbours(dense(scores)[name], 4))
    }
    gone = sorted(sums, key=sums.get)[:7]
    for (name, number), total in sums.items():
        group = neighbours(dense(scores)[name], 4)[number]
        kept = choice.masks[name].reshape(-1)[group]
        assert bool(kept.any()) == ((name, number) not in gone)
        shown = choice.scores[name].reshape(-1)[group]
        torch.testing.assert_close(shown, torch.full_like(shown, total / 4))


def test_thresholds_part_the_groups():
    scores = layers((4, 8), (6, 4))
    choice = choose(scores, dense(scores), 0.5)
    for name, mask in choice.masks.items():
        assert choice.scores[name][mask].min() == choice.thresholds[name]
        assert choice.scores[name][~mask].max() <= choice.thresholds[name]


def test_groups_of_unlike_size_compare_by_weight():
    scores = {"a": torch.tensor([[3.0, 3, 3, 3, 2], [9, 9, 9, 9, 9]]).double()}
    choice = choose(scores, dense(scores), 0.1)
    assert (~choice.masks["a"]).nonzero().tolist() == [[0, 4]]
    most, notes = Groups().limits(dense(scores))
    assert most == {"a": 10} and "Rows of a do not divide by 4" in notes[0]
    assert Groups(size=5).limits(dense(scores)) == (most, ())


@allocations
def test_no_layer_is_emptied(kind):
    scores = layers((1, 4), (2, 8))
    scores["l0"] /= 1000
    choice = choose(scores, dense(scores), 0.6, kind)
    assert choice.masks["l0"].all()
    if kind is GlobalThreshold:
        assert "The threshold would empty l0" in choice.notes[0].message
    choice = choose(scores, dense(scores), 0.99, kind)
    assert [int(mask.sum()) for mask in choice.masks.values()] == [4, 4]
    short = [note for note in choice.notes if note.level == "warning"]
    assert any("would empty layers" in note.message for note in short)


@allocations
def test_weights_gone_before_stay_gone_and_count(kind):
    scores = layers((6, 8), (5, 12))
    before = {name: torch.rand(s.shape) < 0.6 for name, s in scores.items()}
    had = sum(int((~mask).sum()) for mask in before.values())
    choice = choose(scores, before, 0.7, kind)
    assert_whole(choice, before, 4)
    assert had < zeros(choice) and abs(zeros(choice) - round(0.7 * 108)) <= 3
    assert not any((choice.masks[n] & ~before[n]).any() for n in before)
    again = choose(scores, choice.masks, zeros(choice) / 108, kind)
    assert all(torch.equal(again.masks[n], choice.masks[n]) for n in before)
    assert again.thresholds == dict.fromkeys(before)


def test_woodfisher_ranks_groups_by_the_constrained_minimum():
    given = problem(Residual, (2, 6, 6))
    kept, weights = keep_all(given), given.weights()
    found = WoodFisher(samples=20, block_size=30, damping=1e-3).fit(
        given, kept, Monitor(), 0
    )
    choice = Groups(size=2).choose(
        found, weights, kept, GlobalThreshold(), 0.5, dict.fromkeys(kept, 1.0)
    )
    rows = given.gradients(20, 1, 0, kept, Monitor())
    costs = {}
    for name, weight in weights.items():
        fisher = reference.block_fisher(rows[name], 1e-3, 30)
        for group in neighbours(kept[name], 2).tolist():
            loss = reference.set_loss(weight.reshape(-1), group, fisher)
            costs[name, tuple(group)] = loss
    gone = {
        (name, tuple(group))
        for name, mask in choice.masks.items()
        for group in neighbours(kept[name], 2).tolist()
        if not mask.reshape(-1)[group].any()
    }
    assert gone == set(sorted(costs, key=costs.get)[: len(gone)])
    assert 2 * len(gone) == zeros(choice) == 2 * round(len(costs) / 2)


def test_uniform_gives_each_layer_the_sparsity():
    scores = layers((4, 8), (6, 4))
    scores["l1"] *= 1000
    choice = choose(scores, dense(scores), 0.5, Uniform)
    assert [int((~m).sum()) for m in choice.masks.values()] == [16, 12]
