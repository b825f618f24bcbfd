"""Allocations: exact counts, ties, history and layers kept alive."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import masks as masking
from engine.allocation import ALLOCATIONS, GlobalThreshold, Uniform
from engine.allocation.uniform import spread
from engine.allocation.units import Units, lowest
from engine.errors import RunError
from tests import given as granted

allocations = pytest.mark.parametrize("kind", ALLOCATIONS)


def dense(scores):
    return {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}


def layers(*values):
    return {f"l{i}": torch.tensor(v, dtype=torch.float64) for i, v in enumerate(values)}


def choose(kind, scores, masks, sparsity):
    return granted.choose(kind(), scores, masks, sparsity)


def kept(choice):
    return [mask.int().tolist() for mask in choice.masks.values()]


def test_global_takes_the_lowest_of_all_layers():
    scores = layers([5, 1, 6, 2], [7, 8, 3, 9])
    choice = choose(GlobalThreshold, scores, dense(scores), 3 / 8)
    assert kept(choice) == [[1, 0, 1, 0], [1, 1, 0, 1]]
    assert choice.thresholds == {"l0": 5, "l1": 7}
    assert choice.notes == ()


def test_uniform_takes_the_lowest_of_each_layer():
    scores = layers([5, 1, 6, 2], [7, 8, 30, 9])
    choice = choose(Uniform, scores, dense(scores), 0.5)
    assert kept(choice) == [[1, 0, 1, 0], [0, 0, 1, 1]]
    assert choice.thresholds == {"l0": 5, "l1": 9}


def test_a_layer_that_loses_nothing_has_no_threshold():
    scores = layers([1, 2, 3], [7, 8, 9])
    choice = choose(GlobalThreshold, scores, dense(scores), 1 / 3)
    assert choice.thresholds == {"l0": 3, "l1": None}


@allocations
def test_ties_go_by_layer_and_index(kind):
    scores = layers([1, 1, 1, 1], [1, 1, 1, 1])
    choice = choose(kind, scores, dense(scores), 3 / 8)
    expected = [[0, 0, 0, 1], [1, 1, 1, 1]]
    if kind is Uniform:  # 1.5 of each four: the odd one falls on the first layer
        expected = [[0, 0, 1, 1], [0, 1, 1, 1]]
    assert kept(choice) == expected


tied = st.lists(st.integers(0, 3), min_size=1, max_size=9)


@allocations
@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(tied, min_size=1, max_size=5),
    sparsity=st.floats(0, 0.999),
    seed=st.integers(0, 99),
)
def test_the_count_is_exact_and_history_stays(kind, values, sparsity, seed):
    torch.manual_seed(seed)
    scores = layers(*values)
    before = {n: torch.rand(len(s)) < 0.8 for n, s in scores.items()}
    choice = choose(kind, scores, before, sparsity)
    total, gone = masking.total(before), masking.zeros(before)
    alive = sum(bool(mask.any()) for mask in before.values())
    wanted = min(max(round(sparsity * total), gone), total - alive)
    assert masking.zeros(choice.masks) == max(wanted, gone)
    for name, mask in choice.masks.items():
        assert not (mask & ~before[name]).any()
        assert bool(mask.any()) == bool(before[name].any())
        cut = before[name] & ~mask
        if cut.any():
            assert scores[name][mask].min() >= scores[name][cut].max()
            assert choice.thresholds[name] == scores[name][mask].min()
        else:
            assert choice.thresholds[name] is None
    if round(sparsity * total) not in (wanted, masking.zeros(choice.masks)):
        assert choice.notes


@settings(max_examples=150, deadline=None)
@given(values=st.lists(tied, min_size=1, max_size=5), count=st.integers(0, 45))
def test_lowest_is_the_start_of_a_stable_sort(values, count):
    scores = torch.tensor([v for layer in values for v in layer]).double()
    count = min(count, len(scores))
    among = torch.ones(len(scores), dtype=torch.bool)
    right = torch.zeros_like(among)
    right[scores.argsort(stable=True)[:count]] = True
    assert torch.equal(lowest(Units(scores, among), count), right)
    sizes = among.int()  # units that happen to be single weights
    assert torch.equal(lowest(Units(scores, sizes), count), right)


@allocations
def test_a_target_below_the_present_removes_nothing_and_says_so(kind):
    scores = layers([1, 2, 3, 4])
    before = {"l0": torch.tensor([False, False, False, True])}
    choice = choose(kind, scores, before, 0.5)
    assert torch.equal(choice.masks["l0"], before["l0"])
    assert choice.thresholds == {"l0": None}
    assert "below the sparsity of 75.00 %" in choice.notes[0].message


@allocations
def test_saliencies_of_removed_weights_do_not_matter(kind):
    scores = layers([float("nan"), 2, float("-inf"), 4, 5, 6])
    before = {"l0": torch.tensor([False, True, False, True, True, True])}
    choice = choose(kind, scores, before, 0.5)
    assert kept(choice) == [[0, 0, 0, 1, 1, 1]]


def test_no_layer_is_emptied_and_it_is_said():
    scores = layers([1, 2, 3], [7, 8, 9, 10, 11, 12])
    choice = choose(GlobalThreshold, scores, dense(scores), 5 / 9)
    assert kept(choice) == [[0, 0, 1], [0, 0, 0, 1, 1, 1]]
    assert len(choice.notes) == 1 and "l0" in choice.notes[0].message
    assert "l1" not in choice.notes[0].message


def test_one_weight_left_above_the_threshold_needs_no_note():
    scores = layers([1, 2, 30], [7, 8, 9])
    choice = choose(GlobalThreshold, scores, dense(scores), 2 / 6)
    assert kept(choice) == [[0, 0, 1], [1, 1, 1]]
    assert choice.notes == ()


def test_among_equals_the_last_weight_of_a_layer_survives():
    scores = layers([1, 1, 1], [1, 1, 1])
    choice = choose(GlobalThreshold, scores, dense(scores), 4 / 6)
    assert kept(choice) == [[0, 0, 1], [0, 0, 1]]


@allocations
def test_a_target_that_would_empty_layers_stops_short_and_says_so(kind):
    scores = layers([1, 2], [3])
    choice = choose(kind, scores, dense(scores), 0.9)
    assert kept(choice) == [[0, 1], [1]]
    assert "each keeps its best, which makes 33.33 %" in choice.notes[0].message


@allocations
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_saliencies_that_are_not_finite_are_a_sentence(kind, value):
    scores = layers([1, 2], [value, 3])
    with pytest.raises(RunError, match="Saliencies of l1 are not finite") as failed:
        choose(kind, scores, dense(scores), 0.5)
    assert failed.value.hint.startswith("Check the checkpoint")  # magnitude is undamped
    assert "where the method has a damping" in failed.value.hint


@allocations
def test_scores_of_any_shape_and_memory_layout(kind):
    scores = {"conv": torch.rand(4, 3, 2, 2).double()}
    turned = {n: s.to(memory_format=torch.channels_last) for n, s in scores.items()}
    first = choose(kind, scores, dense(scores), 0.7)
    again = choose(kind, turned, dense(turned), 0.7)
    assert torch.equal(first.masks["conv"], again.masks["conv"])


def test_uniform_settles_fractions_by_largest_remainder():
    sizes = {"a": 5, "b": 5, "c": 7}
    found = spread(sizes, dict.fromkeys(sizes, 0), {"a": 4, "b": 4, "c": 6}, 8)
    assert found == {"a": 3, "b": 2, "c": 3}  # 2.35, 2.35, 3.29


def test_uniform_makes_up_for_a_layer_that_is_ahead_and_says_so():
    scores = layers([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8])
    before = dense(scores)
    before["l0"][:7] = False
    choice = choose(Uniform, scores, before, 0.5)
    assert [sum(k) for k in kept(choice)] == [1, 7]
    assert "l0 had more zeros" in choice.notes[0].message
