"""Onward: what is left of a plan, from wherever a run has come to."""

import pytest

from engine.errors import InputError
from engine.schedules import Gradual, OneShot

PLAN = Gradual(first=0.2, start=1, end=5, interval=1)


def test_the_same_plan_goes_on_as_it_was():
    planned = PLAN.levels(0.9, 8)
    for done in range(1, 5):
        reached = planned[done - 1].sparsity
        now = planned[done - 1].epoch
        assert PLAN.onward(planned, now, now, reached) == planned[done:]
    assert PLAN.onward(planned, 0, -1, 0.0) == planned


def test_a_later_end_stretches_what_is_left_and_leaves_out_what_is_reached():
    longer = PLAN.model_copy(update={"end": 9})
    planned = longer.levels(0.9, 9)
    reached = PLAN.levels(0.9, 8)[2].sparsity  # after epoch 3 of the shorter one
    onward = longer.onward(planned, 3, 3, reached)
    by_hand = [0.9 + (0.2 - 0.9) * (1 - t / 8) ** 3 for t in range(9)]
    expected = [(e, s) for e, s in zip(range(1, 10), by_hand, strict=True)]
    expected = [(e, s) for e, s in expected if e > 3 and s > reached]
    found = [(level.epoch, level.sparsity) for level in onward]
    assert [e for e, _ in found] == [e for e, _ in expected]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected])
    assert found[0][0] > 4  # which the longer plan's epoch 4 does not go beyond


def test_a_prune_under_way_has_the_steps_it_had_left():
    plan = OneShot(recomputations=4)
    (level,) = plan.levels(0.9, 0)
    (rest,) = plan.onward(plan.levels(0.9, 0), 0, 0, level.steps[1], left=2)
    assert rest.steps == pytest.approx(level.steps[2:])
    (other,) = plan.onward(plan.levels(0.8, 0), 0, 0, level.steps[1], left=2)
    assert len(other.steps) == 2 and other.sparsity == 0.8


def test_the_end_may_be_now():
    plan = PLAN.model_copy(update={"end": 3})
    (last,) = plan.onward(plan.levels(0.9, 8), 3, 3, 0.6)
    assert (last.epoch, last.sparsity) == (3, 0.9)


@pytest.mark.parametrize(
    ("now", "reached", "words"),
    [(6, 0.5, "6 are done"), (2, 0.9, "90.00 % is removed already")],
)
def test_what_cannot_be_is_refused(now, reached, words):
    with pytest.raises(InputError, match=words):
        PLAN.onward(PLAN.levels(0.9, 8), now, 1, reached)
