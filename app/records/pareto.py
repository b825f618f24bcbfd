"""Pareto front: the points that no other point beats in both directions."""

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]


def front(points: Sequence[Point], more_is_better: bool) -> list[int]:
    """Positions of the points on the front, in rising x; of equal points the first.

    Args:
        points: (x, y); a higher y is better.
        more_is_better: Whether a higher x is, too; else a lower one.
    """
    sign = -1 if more_is_better else 1
    order = sorted(
        range(len(points)), key=lambda i: (sign * points[i][0], -points[i][1])
    )
    found: list[int] = []
    for i in order:
        if not found or points[i][1] > points[found[-1]][1]:
            found.append(i)
    return found[::sign]


def staircase(points: Sequence[Point], more_is_better: bool) -> list[Point]:
    """Corners of the line below which everything is beaten by the front's points.

    Args:
        points: On the front, in rising x.
        more_is_better: See `front`.
    """
    corners: list[Point] = []
    for before, after in pairwise(points):
        x, y = (before[0], after[1]) if more_is_better else (after[0], before[1])
        corners += [before, (x, y)]
    return [*corners, *points[-1:]]
