"""Dispute: which weights one method would remove and another would keep, in numbers."""

from dataclasses import dataclass

import numpy as np

from engine.evaluate import Measure

STAYS, GOES, FIRST, RIVAL, BEFORE = range(5)  # codes in a `Duel.maps`


@dataclass(frozen=True)
class LayerDispute:
    """One layer in the eyes of both methods.

    Attributes:
        name: Full parameter name.
        shape: Of the weight.
        live: Weights before the prune.
        both: That both remove.
        first: That only the recipe's method removes.
        rival: That only its rival removes.
        overlap: Of the removed sets, intersection over union (Jaccard).
        ranks: Spearman's correlation of the saliencies.
    """

    name: str
    shape: tuple[int, ...]
    live: int
    both: int
    first: int
    rival: int
    overlap: float
    ranks: float

    @property
    def disputed(self) -> int:
        """Weights that one of them alone removes."""
        return self.first + self.rival


@dataclass(frozen=True)
class Probe:
    """A mini-batch measured by masks alone, without any compensation.

    Attributes:
        dense: Nothing is gone.
        agreed: What both remove is gone.
        first: That, and what the recipe's method alone removes.
        rival: That, and what its rival alone removes.
        change: Loss of `first` less that of `rival`, image by image; `error` is its
            standard error (None for a single image).
        images: Of the mini-batch; `split` says where they come from.
    """

    dense: Measure
    agreed: Measure
    first: Measure
    rival: Measure
    change: float
    error: float | None
    images: int
    split: str


@dataclass(frozen=True, eq=False)
class Duel:
    """Two methods on the same weights.

    Attributes:
        first: Title of the recipe's method.
        rival: Of the other.
        layers: In the order of the network.
        maps: By layer, a code for each weight (out, rest) uint8.
        ranks: Spearman's correlation of the saliencies of all layers together.
        probe: What the disputed weights are worth.
    """

    first: str
    rival: str
    layers: tuple[LayerDispute, ...]
    maps: dict[str, np.ndarray]
    ranks: float
    probe: Probe

    @property
    def both(self) -> int:
        """Weights that both remove."""
        return sum(each.both for each in self.layers)

    @property
    def disputed(self) -> int:
        """Weights that one of them alone removes."""
        return sum(each.disputed for each in self.layers)

    @property
    def overlap(self) -> float:
        """Of the removed sets of all layers together (Jaccard)."""
        union = self.both + self.disputed
        return self.both / union if union else 1.0
