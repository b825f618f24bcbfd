"""Profile: a sparsity for each layer, so that all together meet a budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.allocation.base import Allocation
from engine.errors import InputError
from engine.steering.budget import Options, least, solve
from engine.steering.events import LayerMeasured
from engine.steering.overrides import without_overrides
from engine.steering.ranking import LayerRanking
from engine.steering.spending import Spending
from engine.steering.what_if import Counts, WhatIf
from engine.words.units import percent

POINTS = 128  # options of a layer that are weighed at once
FINER = 16  # from one round to the next
GAIN = 1e-6  # of the loss, for which a further round pays
ROUNDING = 1e-9
Cost = Callable[[str, np.ndarray], np.ndarray]  # of a layer, for units (n,)


@dataclass(frozen=True, eq=False)
class Profiles:
    """Finds profiles for one ranking.

    Overrides give way, other floors and ceilings hold, excluded layers stay.

    Attributes:
        what_if: The ranking.
        allocation: Whose bounds hold.
        locked: Layers whose overrides stay as they are.
        measured: Of layers that were cut alone.
    """

    what_if: WhatIf
    allocation: Allocation
    locked: frozenset[str] = frozenset()
    measured: Mapping[str, LayerMeasured] = field(default_factory=dict)

    @property
    def free(self) -> Allocation:
        """The allocation without the overrides that give way."""
        names = [n for n in self.what_if.ranking.layers if n not in self.locked]
        return without_overrides(self.allocation, names)

    @property
    def knows_losses(self) -> bool:
        """Whether every layer has a curve of losses."""
        layers = self.what_if.layers(self.allocation)
        told = self.what_if.ranking.gain is not None
        return told or all(name in self.measured for name in layers)

    def losses(self, name: str, units: np.ndarray) -> np.ndarray:
        """Loss increase of a layer: measured where it was, else predicted (n,)."""
        layer = self.what_if.ranking.layers[name]
        return loss_curve(layer, units, self.measured.get(name))

    def price(
        self, name: str, units: int, spending: Spending, share: float = 0.01
    ) -> float | None:
        """What saving more in this layer costs; None where it cannot save as much.

        Args:
            name: Of the layer.
            units: That go already.
            spending: What is saved.
            share: Of what the dense network uses.
        """
        layer = self.what_if.ranking.layers[name]

        def used(count: int) -> float:
            return float(spending.of(name, layer.removed(np.array([count])))[0])

        goal = used(units) - share * spending.whole * (1 - ROUNDING)
        low, high = units, layer.most
        if used(high) > goal:
            return None
        while low < high:  # the fewest that save enough
            middle = (low + high) // 2
            low, high = (low, middle) if used(middle) <= goal else (middle + 1, high)
        now, then = self.losses(name, np.array([units, high]))
        return float(then - now)

    def cheapest(self, spending: Spending, budget: float) -> Counts:
        """The units whose removal loses least within the budget.

        Raises:
            InputError: It cannot be met; says how far bounds allow.
        """
        return self._solve(spending, budget, self.losses)

    def nearest(
        self, wanted: Mapping[str, float], spending: Spending, budget: float
    ) -> Counts:
        """The profile within the budget with the least sum of squared differences.

        Args:
            wanted: Sparsities that were drawn, by layer.
            spending: What the budget counts.
            budget: Most that may be used.

        Raises:
            InputError: It cannot be met; says how far bounds allow.
        """

        def apart(name: str, units: np.ndarray) -> np.ndarray:
            layer = self.what_if.ranking.layers[name]
            return (layer.removed(units) / layer.size - wanted[name]) ** 2

        return self._solve(spending, budget, apart)

    def lowered(self, wanted: Mapping[str, float], by: float) -> Counts:
        """A drawn profile with all sparsities lower by as much, as far as bounds let.

        Args:
            wanted: Sparsities that were drawn, by layer.
            by: Taken from each.
        """
        units = {}
        for name, (low, high) in self.what_if.room(self.free).items():
            layer = self.what_if.ranking.layers[name]
            goal = round((wanted[name] - by) * layer.size) - layer.zeros
            units[name] = min(max(layer.nearest(max(goal, 0)), low), high)
        return units

    def _solve(self, spending: Spending, budget: float, cost: Cost) -> Counts:
        """Weigh some of each layer's options, then finer ones around the best.

        At last each single unit, as long as that gains `GAIN`.
        """
        room = self.what_if.room(self.free)
        steps = {n: max((high - low) // POINTS, 1) for n, (low, high) in room.items()}
        best, lost = {}, np.inf
        grids = {n: _grid(low, high, steps[n]) for n, (low, high) in room.items()}
        while True:
            layers = {
                name: self._options(name, units, spending, cost)
                for name, units in grids.items()
            }
            if least(layers) + spending.rest > budget:
                raise Unmet((least(layers) + spending.rest) / spending.whole)
            chosen = solve(layers, budget - spending.rest)
            loss = sum(float(layers[n].losses[at]) for n, at in chosen.items())
            whole = all(step == 1 for step in steps.values())
            done = whole and loss >= lost * (1 - GAIN)
            if loss <= lost:
                best = {name: int(grids[name][at]) for name, at in chosen.items()}
                lost = loss
            if done:
                return best
            steps = {name: max(step // FINER, 1) for name, step in steps.items()}
            grids = {
                name: _around(best[name], steps[name], *room[name]) for name in best
            }

    def _options(
        self, name: str, units: np.ndarray, spending: Spending, cost: Cost
    ) -> Options:
        zeros = self.what_if.ranking.layers[name].removed(units)
        return Options(spending.of(name, zeros), cost(name, units))


class Unmet(InputError):
    """A budget below what floors, ceilings and locks leave.

    Args:
        least: What they leave, as a fraction of the dense network.
    """

    def __init__(self, least: float) -> None:
        super().__init__(
            "Ceilings, locks and layers that stay dense leave at least "
            f"{percent(least)}.",
            "Raise the target, or free some layers.",
        )
        self._least = least

    def __reduce__(self) -> tuple:
        return type(self), (self._least,)


def loss_curve(
    layer: LayerRanking, units: np.ndarray, measured: LayerMeasured | None
) -> np.ndarray:
    """Loss increase after so many units (n,).

    A measurement scales the prediction: the ratio of both is interpolated between the
    measured cuts and kept beyond them, so the curve passes through every measured point
    and has the prediction's shape in between. Measured increases below those of a lower
    sparsity, or below zero, are noise of the mini-batch and are raised to those.
    """
    predicted = layer.losses(units)
    if measured is None:
        return predicted
    at = np.array(measured.units)
    risen = np.maximum.accumulate(np.maximum(measured.losses, 0.0))
    base = layer.losses(at)
    some = base > 0
    if not some.any():
        return np.interp(units, np.concatenate([[0], at]), np.concatenate([[0], risen]))
    return predicted * np.interp(units, at[some], risen[some] / base[some])


def _grid(low: int, high: int, step: int) -> np.ndarray:
    """Units from `low` to `high`, both among them."""
    return np.append(np.arange(low, high, step), high)


def _around(units: int, step: int, low: int, high: int) -> np.ndarray:
    """Some units on both sides of what was chosen, which is among them."""
    reach = POINTS // 2 * step
    below = np.arange(units, max(units - reach, low) - 1, -step)[::-1]
    return np.append(below, np.arange(units + step, min(units + reach, high) + 1, step))
