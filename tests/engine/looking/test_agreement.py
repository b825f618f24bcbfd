"""Agreement: ranks with ties, Spearman and Jaccard against counting pair by pair."""

import numpy as np
import pytest

from engine.looking.agreement import overlap, rank_agreement, ranks


def slow_ranks(values):
    return [
        sum(other < v for other in values) + (sum(o == v for o in values) - 1) / 2
        for v in values
    ]


@pytest.mark.parametrize("seed", range(5))
def test_ranks_and_their_correlation(seed):
    stream = np.random.default_rng(seed)
    first, second = stream.integers(0, 6, 40), stream.normal(size=40)
    assert ranks(first).tolist() == slow_ranks(first)
    right = np.corrcoef(slow_ranks(first), slow_ranks(second))[0, 1]
    assert rank_agreement(ranks(first), ranks(second)) == pytest.approx(right)
    assert rank_agreement(ranks(second), ranks(np.exp(second))) == pytest.approx(1)
    assert rank_agreement(ranks(second), ranks(-second)) == pytest.approx(-1)


def test_what_tells_nothing_apart_agrees_only_with_its_like():
    flat, steep = ranks(np.zeros(4)), ranks(np.arange(4))
    assert rank_agreement(flat, flat) == 1 and rank_agreement(flat, steep) == 0
    assert rank_agreement(np.zeros(0), np.zeros(0)) == 1


def test_overlap_is_intersection_over_union():
    first, second = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert overlap(first, second) == pytest.approx(1 / 3)
    assert overlap(first, ~first) == 0
    assert overlap(first & ~first, second & ~second) == 1
