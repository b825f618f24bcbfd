"""What a pattern is: which sets of weights may go together."""

from torch import Tensor

from engine.allocation.base import Allocation, Choice
from engine.masks import Masks
from engine.part import Part


class Pattern(Part):
    """The shape of what is removed."""

    def choose(
        self,
        scores: dict[str, Tensor],
        masks: Masks,
        allocation: Allocation,
        sparsity: float,
    ) -> Choice:
        """New masks at this sparsity (fraction of the prunable weights)."""
        return allocation.choose(scores, masks, sparsity)
