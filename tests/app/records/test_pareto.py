"""Pareto fronts: what no other run beats."""

import itertools
import random

import pytest

from app.records.pareto import front, staircase


@pytest.mark.parametrize("more", [False, True])
def test_the_front_is_what_nothing_beats(more):
    draw = random.Random(3)
    for size in range(12):
        points = [(draw.randrange(6), draw.randrange(6)) for _ in range(size)]
        sign = 1 if more else -1

        def beaten(point, points=points, sign=sign):
            x, y = sign * point[0], point[1]
            others = ((sign * a, b) for a, b in points)
            return any(a >= x and b >= y and (a, b) != (x, y) for a, b in others)

        expected = {point for point in points if not beaten(point)}
        found = [points[i] for i in front(points, more)]
        assert set(found) == expected and len(found) == len(expected)
        assert found == sorted(found)


def test_the_staircase_has_every_point_on_or_below_it():
    points = [(1.0, 9.0), (3.0, 5.0), (4.0, 1.0)]
    corners = staircase(points, more_is_better=True)
    assert corners == [(1, 9), (1, 5), (3, 5), (3, 1), (4, 1)]
    rising = [(1.0, 1.0), (3.0, 5.0)]
    assert staircase(rising, more_is_better=False) == [(1, 1), (3, 1), (3, 5)]
    for corner, after in itertools.pairwise(corners):
        assert corner[0] == after[0] or corner[1] == after[1]
    assert staircase([], True) == [] and staircase([(1, 2)], True) == [(1, 2)]
