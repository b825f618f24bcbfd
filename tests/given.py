"""A curvature that answers with the saliencies a test wants, and choices by them."""

import torch
from torch import Tensor

from engine.allocation.base import Allocation
from engine.allocation.units import Units
from engine.estimators.base import Uncompensated
from engine.masks import Masks
from engine.patterns import Unstructured
from engine.patterns.base import Choice, Pattern


class Given(Uncompensated):
    """Saliencies as handed over."""

    def __init__(self, scores: dict[str, Tensor]) -> None:
        self._scores = scores

    def scores(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        return self._scores


def candidates(scores: dict[str, Tensor]) -> dict[str, Units]:
    """Every weight is a unit."""
    return {
        n: Units(s, torch.ones_like(s, dtype=torch.bool)) for n, s in scores.items()
    }


def choose_level(
    allocation: Allocation,
    scores: dict[str, Tensor],
    masks: Masks,
    level: float,
    uses: dict[str, float] | None = None,
    pattern: Pattern | None = None,
) -> Choice:
    """At a level, as the allocation counts it; every weight is used once by default."""
    uses = uses or dict.fromkeys(masks, 1.0)
    pattern = pattern or Unstructured()
    return pattern.choose(Given(scores), scores, masks, allocation, level, uses)


def choose(
    allocation: Allocation,
    scores: dict[str, Tensor],
    masks: Masks,
    sparsity: float,
    pattern: Pattern | None = None,
) -> Choice:
    """At a sparsity of the weights, whatever the allocation counts."""

    class Counting(type(allocation)):
        def sparsity_at(self, level: float, *_) -> float:
            return level

    counting = Counting(**allocation.model_dump())
    return choose_level(counting, scores, masks, sparsity, pattern=pattern)
