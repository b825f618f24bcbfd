"""What a fitted estimator answers: saliencies, corrections and predicted losses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from engine.curvature.groups import Best
from engine.facts import LayerCurvature
from engine.masks import Masks

Tensors = dict[str, Tensor]
Losses = dict[str, tuple[float, float | None]]  # by layer: summed, joint


@dataclass(frozen=True)
class Removal:
    """What cutting weights together comes to.

    Attributes:
        corrections: To add to the weights; removed ones land on exactly 0.
        summed: Loss increase as the sum of the sets' saliencies; None = unknown.
        joint: Loss increase of the joint removal, exact in each block; None = unknown.
        layers: Both, each layer's share; nothing where layers are not told apart.
    """

    corrections: Tensors
    summed: float | None
    joint: float | None
    layers: Losses = field(default_factory=dict)

    @classmethod
    def adding_up(cls, corrections: Tensors, layers: Losses) -> "Removal":
        """One whose losses are the sums over the layers."""
        summed = sum(single for single, _ in layers.values())
        joints = [joint for _, joint in layers.values()]
        joint = None if None in joints else sum(joints)
        return cls(corrections, summed, joint, layers)

    @property
    def predicted(self) -> tuple[float | None, float | None]:
        """Both loss increases, which assume full compensation."""
        return self.summed, self.joint


class Curvature(Protocol):
    """What a fitted estimator answers; every dict is keyed by parameter name."""

    def facts(self) -> tuple[LayerCurvature, ...]:
        """What the curvature of each layer rests on, where that is known."""

    def resampled(self, weights: Tensors) -> Iterator[Tensors]:
        """Scores by each bootstrap sample of the gradients; none unless asked for."""

    def scores(self, weights: Tensors) -> Tensors:
        """Saliency per weight, float64, shaped as the weights; removed ones NaN-free.

        Entries of weights that are removed already carry no meaning.
        """

    def cheapest(self, weights: Tensors, groups: Tensors, taken: Tensor) -> Best:
        """The subset of each group that costs least to remove, and what it costs.

        Args:
            weights: As they are now.
            groups: Positions (groups, size) per layer, see `neighbours`; the members of
                a group belong to one row of the weight.
            taken: Subsets to choose from (subsets, size), True = goes.
        """

    def removal(
        self, weights: Tensors, removed: Masks, sets: Tensors | None = None
    ) -> Removal:
        """What cutting `removed` (True = goes) comes to, nothing being changed.

        Args:
            weights: As they are now.
            removed: What goes.
            sets: Positions (sets, size) of what goes together, for corrections that are
                sums over sets; all that is removed is in one. None = single weights.
        """


class Untold:
    """A curvature that rests on no damped block Fisher, or cannot tell."""

    def facts(self) -> tuple[LayerCurvature, ...]:
        """Nothing."""
        return ()

    def resampled(self, weights: Tensors) -> Iterator[Tensors]:
        """None are taken."""
        return iter(())
