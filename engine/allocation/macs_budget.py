"""One threshold for all layers, as high as the multiply-accumulates ask for."""

from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict

from engine import masks as masking
from engine.allocation.base import Candidates
from engine.allocation.global_threshold import GlobalThreshold
from engine.allocation.units import lowest, without
from engine.masks import Masks
from engine.part import field

ROUNDING = 1e-9  # of the total: what sums of float64 may be off by


class MacsBudget(GlobalThreshold):
    """The lowest saliencies go until enough multiply-accumulates are gone.

    `sparsity` and the steps of a schedule count multiply-accumulates of the prunable
    layers instead of weights; they are met to within those of one weight. The number
    of weights is found on the masks alone, and the network changes once (methods: do
    not repeat WoodFisher's script, which updates it at every trial). Floors hold from
    the first step on.
    """

    model_config = ConfigDict(title="MACs budget")
    of: ClassVar[str] = "multiply-accumulates"
    kind: Literal["macs"] = "macs"
    sparsity: float = field(
        0.9, "MACs removed",
        "Fraction of the prunable layers' multiply-accumulates that will be gone; how "
        "many weights that takes follows from their saliencies.",
        ge=0, lt=1,
    )  # fmt: skip

    def prices(self, masks: Masks, uses: dict[str, float]) -> dict[str, float]:
        """How often one image uses a weight of each layer."""
        return {name: uses[name] for name in masks}

    def sparsity_at(
        self,
        level: float,
        units: Candidates,
        masks: Masks,
        uses: dict[str, float],
    ) -> float:
        """The least sparsity at which `level` of the multiply-accumulates is gone.

        One sort of all candidates: O(n log n).
        """
        candidates, due = self._room(units, masks, 1.0)
        forced = {name: lowest(each, due[name]) for name, each in candidates.items()}
        gone, count = 0.0, 0  # weights by use, and weights
        for name, mask in masks.items():
            zeros = int((~mask).sum()) + int(candidates[name].sizes[forced[name]].sum())
            gone, count = gone + zeros * uses[name], count + zeros
        total = sum(mask.numel() * uses[name] for name, mask in masks.items())
        missing = (level - ROUNDING) * total - gone
        if missing > 0:
            left = {n: without(each, forced[n]) for n, each in candidates.items()}
            among = {name: each.sizes > 0 for name, each in left.items()}
            scores = [each.scores[among[name]] for name, each in left.items()]
            sizes = [each.sizes[among[name]].double() for name, each in left.items()]
            prices = [size * uses[name] for name, size in zip(left, sizes, strict=True)]
            order = torch.cat(scores).argsort(stable=True)
            short = torch.cat(prices)[order].cumsum(0) < missing
            last = min(int(short.sum()) + 1, len(order))
            count += int(torch.cat(sizes)[order[:last]].sum())
        return count / masking.total(masks)

    def _share(self, sparsity: float) -> float:
        return 1.0
