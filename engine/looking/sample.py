"""Sample: some weights of every layer that stand for all when a target is applied."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.allocation.base import Allocation
from engine.looking.agreement import overlap
from engine.steering.ranking import LayerRanking, Ranking
from engine.steering.what_if import WhatIf


@dataclass(frozen=True)
class SampledLayer:
    """A layer and how many of its live weights are looked at.

    Attributes:
        name: Full parameter name; `shared` are further names of the same weight.
        taken: Live weights that are looked at.
        live: That there are.
        size: Weights in all.
        uses: Multiply-accumulates per weight, for one image.
    """

    name: str
    shared: tuple[str, ...]
    taken: int
    live: int
    size: int
    uses: float


@dataclass(frozen=True, eq=False)
class Sample:
    """Arrays over a sample (m,) hold its layers one after the other."""

    layers: tuple[SampledLayer, ...]

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([each.taken for each in self.layers])[:-1]

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """The values of each layer."""
        return np.split(values, self._ends)

    def removed(self, scores: np.ndarray, allocation: Allocation) -> np.ndarray:
        """What a single prune to the target takes (m,) bool, weights by themselves.

        The sample stands for the network: its layers are as sparse to begin with.

        Raises:
            InputError: A floor is above a ceiling.
        """
        parts = self.split(scores)
        orders = [np.argsort(part, kind="stable") for part in parts]
        layers = {
            each.name: LayerRanking(
                each.name,
                each.shared,
                each.taken + self._zeros(each),
                self._zeros(each),
                each.uses,
                4,
                part[order],
            )
            for each, part, order in zip(self.layers, parts, orders, strict=True)
        }
        units = WhatIf(Ranking(layers, 0.0, 0.0, 0)).forecast(allocation).units
        gone = [np.zeros(len(part), bool) for part in parts]
        for each, order, there in zip(self.layers, orders, gone, strict=True):
            there[order[: units.get(each.name, 0)]] = True
        return np.concatenate(gone)

    def total(self, values: np.ndarray) -> float:
        """Sum over the network that these sums over the sample stand for."""
        return sum(
            float(part.sum()) * each.live / max(each.taken, 1)
            for each, part in zip(self.layers, self.split(values), strict=True)
        )

    def overlaps(self, first: np.ndarray, second: np.ndarray) -> list[float]:
        """Jaccard overlap of two removed sets in each layer."""
        pairs = zip(self.split(first), self.split(second), strict=True)
        return [overlap(a, b) for a, b in pairs]

    def _zeros(self, layer: SampledLayer) -> int:
        dead = layer.size - layer.live
        return round(layer.taken * dead / max(layer.live, 1))
