"""Ranking: every layer's saliencies in rising order, and what the lowest add up to."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.facts import Histogram

BINS = 80


@dataclass(frozen=True, eq=False)
class LayerRanking:
    """What may go of a layer: units in rising order of their saliency per weight.

    Attributes:
        name: Full parameter name; `shared` are further names of the same weight.
        size: Weights in all.
        zeros: How many were removed before; they are in no unit.
        uses: Multiply-accumulates per weight, for one image.
        width: Bytes of a weight.
        scores: Saliency per weight of each unit, rising, float64 (units,).
        sizes: Live weights that go with each (units,); None = one.
        emptied: How many of the lowest units leave nothing of a row of the weight, for
            each row that could go, rising; see `LayerState.empty`.
    """

    name: str
    shared: tuple[str, ...]
    size: int
    zeros: int
    uses: float
    width: int
    scores: np.ndarray
    sizes: np.ndarray | None = None
    emptied: np.ndarray | None = None

    @cached_property
    def most(self) -> int:
        """Units that may go: all but the best where they would empty the layer."""
        covered = self.weights(len(self.scores))
        return len(self.scores) - (0 < covered == self.size - self.zeros)

    @cached_property
    def _taken(self) -> np.ndarray | None:
        if self.sizes is None:
            return None
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @cached_property
    def _losses(self) -> np.ndarray:
        each = self.scores if self.sizes is None else self.scores * self.sizes
        return np.concatenate([[0.0], np.cumsum(each)])

    def weights(self, units: int) -> int:
        """How many weights the lowest units take."""
        return units if self._taken is None else int(self._taken[units])

    def empty(self, units: int) -> int:
        """Rows of the weight without anything left when the lowest units are gone."""
        if self.emptied is None:
            return 0
        return int(np.searchsorted(self.emptied, units, "right"))

    def steps(self, first: int, last: int) -> np.ndarray:
        """Weights that go with none, one and more units from `first` up to `last`."""
        if self._taken is None:
            return np.arange(last - first + 1)
        return self._taken[first : last + 1] - self._taken[first]

    def loss(self, units: int) -> float:
        """Sum of the saliencies of the lowest units."""
        return float(self._losses[units])

    def losses(self, units: np.ndarray) -> np.ndarray:
        """The same for several numbers of units (n,)."""
        return self._losses[units]

    def removed(self, units: np.ndarray) -> np.ndarray:
        """Zeros after so many units, those from before included (n,)."""
        return self.zeros + self._weights(units)

    def curve(self, points: int) -> tuple[np.ndarray, np.ndarray]:
        """Sparsities and the sums of saliencies that they cost, from zero to the most.

        Args:
            points: How many; fewer where there are fewer units.
        """
        units = np.linspace(0, self.most, min(points, self.most + 1)).astype(int)
        return self.removed(units) / self.size, self.losses(units)

    def price(self, units: int, share: float) -> float | None:
        """What a further share of the layer costs after so many units; None past all.

        Args:
            units: The lowest that go already.
            share: Of the layer's weights, at least one unit's.
        """
        goal = self.weights(units) + max(round(share * self.size), 1)
        last = max(self.nearest(goal), units + 1)
        if last > self.most or self.weights(self.most) < goal:
            return None
        return self.loss(last) - self.loss(units)

    def histogram(self, scores: np.ndarray, units: int) -> Histogram:
        """The weights by saliency, those of the lowest units as removed.

        Args:
            scores: Saliencies as they are compared (units,), rising.
            units: How many of the lowest go.
        """
        positive = int(np.searchsorted(scores, 0.0, "right"))
        low = high = 0.0
        if positive < len(scores):
            low, high = (float(v) for v in np.log10(scores[[positive, -1]]))
        high = max(high, low + 1e-6)
        edges = 10 ** np.linspace(low, high, BINS + 1)[1:-1]
        at = np.concatenate([[positive], np.searchsorted(scores, edges, "right")])
        at = np.maximum(np.append(at, len(scores)), positive)
        live, removed = np.maximum(at, units), np.minimum(at, units)
        cut = scores[units] if 0 < units < len(scores) else 0.0
        return Histogram(
            self.name,
            low,
            high,
            tuple(np.diff(self._weights(live)).tolist()),
            tuple(np.diff(self._weights(removed)).tolist()),
            self.weights(positive),
            self.zeros,
            float(np.log10(cut)) if cut > 0 else None,
        )

    def _weights(self, units: np.ndarray) -> np.ndarray:
        return units if self._taken is None else self._taken[units]

    def nearest(self, weights: float, low: int = 0) -> int:
        """How many of the lowest units take about so many weights, at least `low`.

        The nearest number that whole units make, the smaller of two.
        """
        if self._taken is None:
            return int(min(max(weights, low), self.most))
        apart = np.abs(self._taken[low : self.most + 1] - weights)
        return low + int(apart.argmin())


@dataclass(frozen=True, eq=False)
class Ranking:
    """All layers that were scored, and what stays beside them.

    Attributes:
        layers: By name, in the order of the network.
        gain: Subtracted from the sum of saliencies to predict the loss increase; None
            when this method's saliencies are no losses.
        macs: Multiply-accumulates for one image, of everything, dense.
        bytes: Of all parameters, dense.
    """

    layers: dict[str, LayerRanking]
    gain: float | None
    macs: float
    bytes: int


def sparse_bytes(layer: LayerRanking, zeros: np.ndarray | int) -> np.ndarray:
    """Of a layer as the weights that are left and one bit each; dense if smaller."""
    return packed_bytes(layer.size, layer.width, zeros)


def packed_bytes(
    size: int, width: int, zeros: int | np.ndarray
) -> np.int64 | np.ndarray:
    """Of so many weights, stored as `sparse_bytes` has it."""
    return np.minimum((size - zeros) * width + -(-size // 8), size * width)
