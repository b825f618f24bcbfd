"""One threshold for all layers, as high as the multiply-accumulates ask for."""

from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine import masks as masking
from engine.allocation.base import lowest_of_each
from engine.allocation.global_threshold import GlobalThreshold
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
        scores: dict[str, Tensor],
        masks: Masks,
        uses: dict[str, float],
    ) -> float:
        """The least sparsity at which `level` of the multiply-accumulates is gone.

        One sort of all candidates: O(n log n).
        """
        candidates, due = self._room(scores, masks, 1.0)
        forced = lowest_of_each(scores, candidates, due)
        left = {name: mask & ~forced[name] for name, mask in masks.items()}
        total = sum(mask.numel() * uses[name] for name, mask in masks.items())
        missing = (level - self.progress(left, uses) - ROUNDING) * total
        count = masking.zeros(left)
        if missing > 0:
            among = {n: scores[n][m & ~forced[n]] for n, m in candidates.items()}
            order = torch.cat(list(among.values())).argsort(stable=True)
            price = torch.cat(
                [
                    torch.full_like(s, uses[n], dtype=torch.double)
                    for n, s in among.items()
                ]
            )
            short = price[order].cumsum(0) < missing
            count += min(int(short.sum()) + 1, len(order))
        return count / masking.total(masks)

    def _share(self, sparsity: float) -> float:
        return 1.0
