"""Schedules: levels by hand, and refusals."""

from itertools import pairwise

import pytest

from engine.errors import InputError
from engine.schedules import Gradual, OneShot
from engine.schedules.base import spread

EXPONENTIAL = {"spacing": "exponential"}


def test_cubic_levels_by_hand():
    levels = Gradual(first=0.05, start=1, end=4, interval=1).levels(0.9, 6)
    assert [level.epoch for level in levels] == [1, 2, 3, 4]
    by_hand = [0.9 + (0.05 - 0.9) * (1 - t / 3) ** 3 for t in range(4)]
    assert [level.sparsity for level in levels] == pytest.approx(by_hand)
    assert levels[-1].sparsity == 0.9


def test_the_last_prune_lands_on_end_when_the_interval_does_not_divide():
    levels = Gradual(start=0, end=5, interval=2).levels(0.8, 5)
    assert [level.epoch for level in levels] == [0, 2, 4, 5]
    assert levels[-1].sparsity == 0.8


def test_levels_never_fall_below_what_is_pruned_already():
    levels = Gradual(first=0.05, end=3).levels(0.9, 3, start=0.5)
    reached = [0.5, *(s for level in levels for s in level.steps)]
    assert reached == sorted(reached)


def test_one_prune_when_start_is_end():
    levels = Gradual(start=2, end=2).levels(0.9, 3)
    assert [(level.epoch, level.sparsity) for level in levels] == [(2, 0.9)]


def test_a_prune_after_the_last_epoch_is_refused():
    with pytest.raises(InputError, match="epoch 4"):
        Gradual(end=4).levels(0.9, 3)


def test_one_shot_takes_the_same_share_of_survivors_each_step():
    (level,) = OneShot(recomputations=4).levels(0.9, 0)
    kept = [1.0, *(1 - s for s in level.steps)]
    ratios = [b / a for a, b in pairwise(kept)]
    assert ratios == pytest.approx([0.1**0.25] * 4)
    assert level.sparsity == 0.9


@pytest.mark.parametrize("spacing", ["linear", "polynomial", "exponential"])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_spread_rises_to_the_end(spacing, steps):
    path = spread(0.2, 0.8, steps, spacing)
    assert len(path) == steps and path[-1] == 0.8
    assert list(path) == sorted(path) and path[0] > 0.2


FORMULAS = {
    "linear": lambda t: 0.2 + 0.6 * t,
    "exponential": lambda t: 1 - 0.8 * (0.2 / 0.8) ** t,
    "polynomial": lambda t: 0.8 - 0.6 * (1 - t) ** 2,
}


@pytest.mark.parametrize("spacing", FORMULAS)
def test_spread_is_the_formula(spacing):
    by_hand = [FORMULAS[spacing](step / 5) for step in range(1, 6)]
    assert spread(0.2, 0.8, 5, spacing) == pytest.approx(by_hand)


@pytest.mark.parametrize("spacing", FORMULAS)
@pytest.mark.parametrize("kind", [OneShot, Gradual])
def test_every_prune_is_cut_into_steps_by_the_spacing(kind, spacing):
    plan = kind(spacing=spacing, recomputations=3)
    reached = 0.0
    for level in plan.levels(0.9, 3):
        path = spread(reached, level.sparsity, 3, spacing)
        assert level.steps == pytest.approx(path)
        reached = level.sparsity


@pytest.mark.parametrize("kind", [OneShot, Gradual])
def test_steps_are_exponential_where_a_recipe_is_silent(kind):
    silent, told = (kind(recomputations=3, **more) for more in ({}, EXPONENTIAL))
    assert silent == told
    assert silent.levels(0.9, 3) == told.levels(0.9, 3)
