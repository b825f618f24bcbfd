"""Budget: one option for every layer, so that together they lose least within it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SLACK = 1e-12  # of the budget: what sums of float64 may be off by


@dataclass(frozen=True, eq=False)
class Options:
    """What a layer could become.

    Attributes:
        uses: Of the budget, for each option (options,) float64.
        losses: What each costs (options,) float64.
    """

    uses: np.ndarray
    losses: np.ndarray


def least(layers: Mapping[str, Options]) -> float:
    """The smallest budget that any choice keeps to."""
    return float(sum(each.uses.min() for each in layers.values()))


def solve(layers: Mapping[str, Options], budget: float) -> dict[str, int]:
    """The option of each layer for the least sum of losses within the budget.

    A multiple-choice knapsack by its Lagrangian: for a price of a unit of the budget
    each layer takes the best vertex of its lower convex hull, so the price at which the
    budget is met is found by bisection among the slopes of all hulls. What that leaves
    of the budget is filled with whatever option gives back most loss; the same is done
    from the vertex before with the one option that makes up for what is missing, and
    the better of both is taken. It is off the optimum by less than the loss of one step
    along one hull, and by nothing where hulls meet the budget exactly. O(n log n).

    Args:
        layers: At least one option each.
        budget: No less than `least` of them.
    """
    names, hulls = list(layers), [hull(each) for each in layers.values()]
    if not names:
        return {}
    board = _Board(layers, budget)
    chosen = board.start + np.array([each[0] for each in hulls])
    saved, prices, steps = [], [], []
    for place, (first, each) in enumerate(zip(board.start, hulls, strict=True)):
        at = first + np.array(each)
        saved.append(-np.diff(board.uses[at]))
        prices.append(np.diff(board.losses[at]) / saved[-1])
        steps += [(place, vertex) for vertex in at[1:]]
    order = np.concatenate(prices).argsort(kind="stable")
    missing = float(board.uses[chosen].sum()) - board.budget
    if missing <= 0:
        return board.named(names, chosen)
    reached = np.concatenate(saved)[order].cumsum()
    last = min(int(np.searchsorted(reached, missing)), len(order) - 1)
    for number in order[:last]:
        place, vertex = steps[number]
        chosen[place] = vertex
    within = chosen.copy()
    place, vertex = steps[order[last]]
    within[place] = vertex
    found = [board.fill(within)]
    mended = board.mend(chosen)
    if mended is not None:
        found.append(board.fill(mended))
    best = min(found, key=lambda each: float(board.losses[each].sum()))
    return board.named(names, best)


def hull(options: Options) -> list[int]:
    """Vertices of the lower convex hull, from the least loss to the least use."""
    order = np.lexsort((options.losses, options.uses))
    uses, losses = options.uses[order], options.losses[order]
    better = np.ones(len(order), dtype=bool)  # than all that use less
    better[1:] = losses[1:] < np.minimum.accumulate(losses)[:-1]
    kept: list[tuple[float, float, int]] = []
    for at in np.flatnonzero(better):
        x, y = float(uses[at]), float(losses[at])
        while len(kept) > 1:
            (x1, y1, _), (x2, y2, _) = kept[-2:]
            if (x2 - x1) * (y - y1) > (x - x1) * (y2 - y1):
                break  # the middle one lies below the line
            kept.pop()
        kept.append((x, y, int(order[at])))
    return [at for _, _, at in reversed(kept)]


class _Board:
    """All options in a row, and moves of one layer at a time."""

    def __init__(self, layers: Mapping[str, Options], budget: float) -> None:
        sizes = [len(each.uses) for each in layers.values()]
        self.start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.uses = np.concatenate([each.uses for each in layers.values()])
        self.losses = np.concatenate([each.losses for each in layers.values()])
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self.budget = budget + SLACK * abs(budget)

    def named(self, names: list[str], chosen: np.ndarray) -> dict[str, int]:
        picked = (chosen - self.start).tolist()
        return dict(zip(names, picked, strict=True))

    def fill(self, chosen: np.ndarray) -> np.ndarray:
        """Take back what fits, the largest loss first."""
        while True:
            more, back = self._moves(chosen)
            fits = (more <= self.budget - self.uses[chosen].sum()) & (back > 0)
            if not fits.any():
                return chosen
            at = int(np.where(fits, back, -np.inf).argmax())
            chosen = chosen.copy()
            chosen[self._owner[at]] = at

    def mend(self, chosen: np.ndarray) -> np.ndarray | None:
        """The one move with the least loss that comes within the budget, if any."""
        more, back = self._moves(chosen)
        enough = more <= self.budget - self.uses[chosen].sum()
        if not enough.any():
            return None
        at = int(np.where(enough, back, -np.inf).argmax())
        mended = chosen.copy()
        mended[self._owner[at]] = at
        return mended

    def _moves(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each option uses more than its layer's choice, and loses less."""
        now = chosen[self._owner]
        return self.uses - self.uses[now], self.losses[now] - self.losses
