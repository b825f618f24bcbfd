"""Groups: 1 x K neighbouring weights go together or stay."""

from typing import Literal

import torch
from pydantic import ConfigDict

from engine.allocation.units import Units
from engine.curvature.base import Curvature, Tensors
from engine.curvature.groups import neighbours, row_length
from engine.masks import Masks
from engine.part import field
from engine.patterns.base import Pattern, Sets


class Groups(Pattern):
    """Saliency 1/2 w_Q^T ((F^-1)_QQ)^-1 w_Q of K neighbours Q in a row.

    Kurtic et al., "The Optimal BERT Surgeon", 2022, section on block pruning. A row is
    what one output sees, input channels fastest (in a transposed convolution, what one
    input reaches). Methods whose weights do not interact add their scores up. Groups of
    unlike size, at the end of a row or where weights had gone before, compare by the
    saliency per live weight. Cost O(d K^2) and K d float64 numbers of the largest
    layer; with a block Fisher O(N^2 d) more.
    """

    model_config = ConfigDict(title="Groups (1 x K)")
    kind: Literal["groups"] = "groups"
    size: int = field(
        4, "Group size (K)",
        "Weights side by side in a row, input channels fastest, that go together; "
        "oBERT takes 4.", ge=2, le=64, unit="weights",
    )  # fmt: skip

    @property
    def width(self) -> int:
        """Of a group."""
        return self.size

    def limits(self, masks: Masks) -> tuple[dict[str, int], tuple[str, ...]]:
        """All; rows that K does not divide end in a smaller group."""
        most, _ = super().limits(masks)
        ragged = [name for name, m in masks.items() if row_length(m) % self.size]
        if not ragged:
            return most, ()
        return most, (
            f"Rows of {', '.join(ragged)} do not divide by {self.size}; each ends in a "
            "smaller group.",
        )

    def _units(
        self, curvature: Curvature, weights: Tensors, masks: Masks, scores: Tensors
    ) -> dict[str, Units]:
        groups = {name: neighbours(mask, self.size) for name, mask in masks.items()}
        every = torch.ones(1, self.size, dtype=torch.bool)
        found = curvature.cheapest(weights, groups, every)
        units = {}
        for name, members in groups.items():
            sizes = (members < masks[name].numel()).sum(1)
            units[name] = Sets(found[name][0] / sizes.clamp_min(1), sizes, members)
        return units
