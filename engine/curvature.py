"""What a fitted estimator answers: saliencies, corrections and predicted losses."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from engine.facts import LayerCurvature
from engine.groups import Best
from engine.masks import Masks

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Removal:
    """What cutting weights together comes to.

    Attributes:
        corrections: To add to the weights; removed ones land on exactly 0.
        summed: Loss increase as the sum of the sets' saliencies; None = unknown.
        joint: Loss increase of the joint removal, exact in each block; None = unknown.
    """

    corrections: Tensors
    summed: float | None
    joint: float | None

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
            groups: Positions (groups, size) per layer, see `engine.groups`; the members
                of a group belong to one row of the weight.
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
