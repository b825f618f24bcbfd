"""Spending: what every layer uses of a budget at any sparsity, in four currencies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.steering.ranking import LayerRanking, Ranking, sparse_bytes

Currency = Literal["weights", "macs", "bytes", "milliseconds"]


@dataclass(frozen=True)
class LayerTimes:
    """One layer on one machine.

    Attributes:
        sparsities: Rising (cuts,).
        milliseconds: Of the faster kernel at each (cuts,), never longer than at a lower
            sparsity.
        dense: Of the dense kernel.
        gains_from: Lowest measured sparsity at which the sparse product was the faster
            one; None where it never was.
    """

    sparsities: tuple[float, ...]
    milliseconds: tuple[float, ...]
    dense: float
    gains_from: float | None


@dataclass(frozen=True)
class Times:
    """Measured times of a pass.

    Attributes:
        layers: By name; a layer that is not there takes the same at any sparsity.
        rest: Milliseconds of everything else.
        images: In the pass.
        device: In words.
    """

    layers: Mapping[str, LayerTimes]
    rest: float
    images: int
    device: str

    @property
    def dense(self) -> float:
        """Milliseconds of the whole pass with dense kernels."""
        return self.rest + sum(each.dense for each in self.layers.values())


class Spending:
    """A currency, and what layers use of it.

    Args:
        ranking: Sizes, uses and widths of the layers.
        layers: Names of those that are pruned; what others use is `rest`.
        currency: weights (of those layers alone), multiply-accumulates for one image,
            bytes of all parameters, or milliseconds of a pass.
        times: For milliseconds.
    """

    def __init__(
        self,
        ranking: Ranking,
        layers: Mapping[str, LayerRanking],
        currency: Currency,
        times: Times | None = None,
    ) -> None:
        self._layers, self._currency, self._times = layers, currency, times
        dense = sum(float(self._dense(name)) for name in layers)
        self.whole = {
            "weights": float(sum(each.size for each in layers.values())),
            "macs": float(ranking.macs),
            "bytes": float(ranking.bytes),
            "milliseconds": times.dense if times else 0.0,
        }[currency]
        self.rest = self.whole - dense

    def of(self, name: str, zeros: np.ndarray) -> np.ndarray:
        """What a layer uses with so many zeros (n,)."""
        layer = self._layers[name]
        if self._currency == "weights":
            return layer.size - zeros.astype(float)
        if self._currency == "macs":
            return layer.uses * (layer.size - zeros)
        if self._currency == "bytes":
            return sparse_bytes(layer, zeros).astype(float)
        times = self._times.layers.get(name) if self._times else None
        if times is None:
            return np.zeros(len(zeros))
        return np.interp(zeros / layer.size, times.sparsities, times.milliseconds)

    def total(self, zeros: Mapping[str, int]) -> float:
        """What all use."""
        used = (float(self.of(n, np.array([zeros[n]]))[0]) for n in self._layers)
        return self.rest + sum(used)

    def _dense(self, name: str) -> float:
        if self._currency == "milliseconds":
            times = self._times.layers.get(name) if self._times else None
            return times.dense if times else 0.0
        return self.of(name, np.zeros(1, dtype=np.int64))[0]
