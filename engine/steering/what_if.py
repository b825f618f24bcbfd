"""What if: what an allocation would do, looked up in sorted saliencies.

The same choice as `Allocation.choose` makes for a single prune from where the network
was scored, in microseconds per layer instead of a selection among all weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.allocation.base import Allocation
from engine.allocation.global_threshold import GlobalThreshold
from engine.allocation.macs_budget import ROUNDING, MacsBudget
from engine.allocation.uniform import Uniform, spread
from engine.covering import covers
from engine.steering.overrides import overriding, without_overrides
from engine.steering.ranking import LayerRanking, Ranking, sparse_bytes
from engine.steering.thresholds import lowest

Counts = dict[str, int]
HIGHEST = 0.9999999  # a target is below 1


@dataclass(frozen=True)
class Forecast:
    """What a prune would leave (hollow): nothing of it was measured.

    Attributes:
        units: How many of each layer's units go, the lowest first.
        zeros: Removed weights of each layer, those from before included.
        cut: Saliency, as layers compare them, between what goes and what stays; None
            where layers share none.
        sparsity: Of the prunable weights.
        reached: As the allocation counts it.
        loss: Predicted increase as the sum of saliencies; None if unknown.
        macs: Multiply-accumulates left, of the whole network for one image.
        bytes: Of the parameters, pruned layers as values and one bit a weight.
    """

    units: Counts
    zeros: Counts
    cut: float | None
    sparsity: float
    reached: float
    loss: float | None
    macs: float
    bytes: int


class WhatIf:
    """Answers for one ranking; layers that an allocation excludes are left out.

    Args:
        ranking: Every layer's saliencies in rising order.
    """

    def __init__(self, ranking: Ranking) -> None:
        self.ranking = ranking
        self._compared: dict[str, tuple[float, np.ndarray]] = {}

    def layers(self, allocation: Allocation) -> dict[str, LayerRanking]:
        """Those that the allocation prunes."""

        def excluded(layer: LayerRanking) -> bool:
            names = (layer.name, *layer.shared)
            return any(covers(p, n) for p in allocation.exclude for n in names)

        layers = self.ranking.layers
        return {name: each for name, each in layers.items() if not excluded(each)}

    def compared(self, allocation: Allocation, name: str) -> np.ndarray:
        """A layer's saliencies as the allocation compares them (units,), rising."""
        layer = self.ranking.layers[name]
        divisor = allocation.weight_of(layer.uses)
        if divisor == 1:
            return layer.scores
        if self._compared.get(name, (1.0,))[0] != divisor:
            self._compared[name] = divisor, layer.scores / divisor
        return self._compared[name][1]

    def forecast(self, allocation: Allocation) -> Forecast:
        """What this allocation takes.

        Raises:
            InputError: A floor is above a ceiling.
        """
        layers = self.layers(allocation)
        due, high = self._bounds(allocation, layers)
        going = self._going(allocation, layers, high)
        asked = sum(due.values())
        if asked > going:
            due = {name: count * going // asked for name, count in due.items()}
        forced = {n: min(each.nearest(due[n]), high[n]) for n, each in layers.items()}
        scores = {name: self.compared(allocation, name) for name in layers}
        if isinstance(allocation, Uniform):
            units, cut = _even(layers, forced, high, going), None
        elif isinstance(allocation, MacsBudget):
            used = {n: each.uses for n, each in layers.items()}
            whole = sum(each.size * used[n] for n, each in layers.items())
            goal = (allocation.sparsity - ROUNDING) * whole
            goal -= sum(each.zeros * used[n] for n, each in layers.items())
            units, cut = lowest(layers, scores, forced, high, goal, used, False)
        else:
            once = dict.fromkeys(layers, 1.0)
            units, cut = lowest(layers, scores, forced, high, going, once, True)
        return self._told(allocation, layers, units, cut)

    def cut_all(self, allocation: Allocation, at: float) -> Allocation:
        """The target for which every layer loses what lies below `at`.

        Args:
            allocation: Global or by multiply-accumulates.
            at: A saliency as the allocation compares them.
        """
        layers = self.layers(allocation)
        due, high = self._bounds(allocation, layers)
        units = {}
        for name, layer in layers.items():
            below = self._below(allocation, name, at)
            units[name] = min(max(below, layer.nearest(due[name])), high[name])
        reached = _share(allocation, layers, _zeros(layers, units))
        moved = allocation.model_copy(update={"sparsity": min(reached, HIGHEST)})
        return self.within_reach(moved)

    def cut_layer(self, allocation: Allocation, name: str, at: float) -> Allocation:
        """The override for which this layer loses what lies below `at`."""
        layer = self.ranking.layers[name]
        units = min(self._below(allocation, name, at), layer.most)
        share = (layer.zeros + layer.weights(units)) / layer.size
        return self.set_layer(allocation, name, share)

    def set_layer(self, allocation: Allocation, name: str, share: float) -> Allocation:
        """The override of this layer, as far as other floors and ceilings allow.

        The target gives way where the other layers could not make up for it.
        """
        layer = self.ranking.layers[name]
        free = without_overrides(allocation, [name])
        least, most = free.limits(name)
        units = layer.nearest(round(share * layer.size) - layer.zeros)
        share = (layer.zeros + layer.weights(units)) / layer.size
        share = min(max(share, least), most)
        return self.within_reach(overriding(free, name, share))

    def shape(self, allocation: Allocation, units: Mapping[str, int]) -> Allocation:
        """The overrides of several layers for which so many of their units go.

        As far as other floors and ceilings allow; the target is what they come to.
        """
        shaped = free = without_overrides(allocation, units)
        for name, count in units.items():
            layer = self.ranking.layers[name]
            least, most = free.limits(name)
            share = (layer.zeros + layer.weights(count)) / layer.size
            shaped = overriding(shaped, name, min(max(share, least), most))
        return self.within_reach(shaped)

    def room(self, allocation: Allocation) -> dict[str, tuple[int, int]]:
        """Fewest and most units of each layer that floors and ceilings let go.

        Raises:
            InputError: A floor is above a ceiling.
        """
        layers = self.layers(allocation)
        due, high = self._bounds(allocation, layers)
        return {
            n: (min(each.nearest(due[n]), high[n]), high[n])
            for n, each in layers.items()
        }

    def within_reach(self, allocation: Allocation) -> Allocation:
        """The same with the nearest target that floors and ceilings allow."""
        layers = self.layers(allocation)
        low, high = allocation.bounds(*_counts(layers))
        least = _share(allocation, layers, low)
        most = min(_share(allocation, layers, high), HIGHEST)
        sparsity = min(max(allocation.sparsity, least), most)
        return allocation.model_copy(update={"sparsity": sparsity})

    def _below(self, allocation: Allocation, name: str, at: float) -> int:
        return int(np.searchsorted(self.compared(allocation, name), at))

    def _bounds(
        self, allocation: Allocation, layers: Mapping[str, LayerRanking]
    ) -> tuple[Counts, Counts]:
        """Weights of each layer that go by floors, and the most units that may."""
        sizes, zeros = _counts(layers)
        low, high = allocation.bounds(sizes, zeros)
        most = {n: each.nearest(high[n] - zeros[n]) for n, each in layers.items()}
        reach = {name: each.weights(most[name]) for name, each in layers.items()}
        return {n: min(low[n] - zeros[n], reach[n]) for n in layers}, most

    def _going(
        self,
        allocation: Allocation,
        layers: Mapping[str, LayerRanking],
        high: Counts,
    ) -> int:
        """Weights that go, as far as the target counts weights."""
        possible = _weights(layers, high)
        if allocation.of != "weights":
            return possible
        size = sum(each.size for each in layers.values())
        zeros = sum(each.zeros for each in layers.values())
        return max(min(round(allocation.sparsity * size) - zeros, possible), 0)

    def _told(
        self,
        allocation: Allocation,
        layers: Mapping[str, LayerRanking],
        units: Counts,
        cut: float | None,
    ) -> Forecast:
        ranking = self.ranking
        zeros = _zeros(layers, units)
        size = sum(each.size for each in layers.values())
        losses = sum(each.loss(units[name]) for name, each in layers.items())
        return Forecast(
            units,
            zeros,
            cut,
            sum(zeros.values()) / max(size, 1),
            _share(allocation, layers, zeros),
            None if ranking.gain is None else losses - ranking.gain,
            ranking.macs - sum(e.uses * zeros[n] for n, e in layers.items()),
            ranking.bytes
            - sum(
                each.size * each.width - int(sparse_bytes(each, zeros[name]))
                for name, each in layers.items()
            ),
        )


def knows(allocation: Allocation) -> bool:
    """Whether this kind of allocation can be foretold here."""
    return isinstance(allocation, GlobalThreshold | Uniform)


def _weights(layers: Mapping[str, LayerRanking], units: Counts) -> int:
    return sum(each.weights(units[name]) for name, each in layers.items())


def _counts(layers: Mapping[str, LayerRanking]) -> tuple[Counts, Counts]:
    """Weights of each layer, and how many of them are zero already."""
    sizes = {name: each.size for name, each in layers.items()}
    return sizes, {name: each.zeros for name, each in layers.items()}


def _zeros(layers: Mapping[str, LayerRanking], units: Counts) -> Counts:
    return {n: each.zeros + each.weights(units[n]) for n, each in layers.items()}


def _share(
    allocation: Allocation, layers: Mapping[str, LayerRanking], zeros: Counts
) -> float:
    """What these zeros come to, as the allocation counts it."""
    counts_uses = allocation.of != "weights"
    price = {n: each.uses if counts_uses else 1.0 for n, each in layers.items()}
    whole = sum(price[n] * each.size for n, each in layers.items())
    return sum(price[n] * zeros[n] for n in layers) / whole if whole else 0.0


def _even(
    layers: Mapping[str, LayerRanking], forced: Counts, high: Counts, going: int
) -> Counts:
    """One sparsity in every layer, as far as bounds allow."""
    sizes = {name: each.size for name, each in layers.items()}
    low = {n: each.zeros + each.weights(forced[n]) for n, each in layers.items()}
    top = {n: each.zeros + each.weights(high[n]) for n, each in layers.items()}
    goal = sum(each.zeros for each in layers.values()) + going
    quotas = spread(sizes, low, top, max(goal, sum(low.values())))
    return {
        n: min(each.nearest(quotas[n] - each.zeros, forced[n]), high[n])
        for n, each in layers.items()
    }
