"""One threshold for all layers: the joint setting of the papers."""

from typing import Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.allocation.base import Allocation, lowest
from engine.masks import Masks
from engine.part import field


class GlobalThreshold(Allocation):
    """The lowest saliencies of the whole network go."""

    model_config = ConfigDict(title="Global threshold")
    kind: Literal["global"] = "global"
    macs_power: float = field(
        0.0, "MACs exponent",
        "Saliencies are divided by the layer's multiply-accumulates per weight to this "
        "power, so that costly layers lose more; 0.3 is usual, 0 is off.",
        ge=0, le=10, advanced=True,
    )  # fmt: skip

    def rank(self, scores: dict[str, Tensor], uses: dict[str, float]) -> dict:
        """Saliency per use of the weight to the power `macs_power` (FLOPs-aware).

        A layer's multiply-accumulates per live weight do not change with its mask:
        they are how often one image uses each of its weights. A layer where none were
        seen counts as one use.
        """
        if self.macs_power == 0:
            return scores
        return {
            name: score / max(uses[name], 1.0) ** self.macs_power
            for name, score in scores.items()
        }

    def _pick(
        self, scores: dict[str, Tensor], spare: Masks, masks: Masks, count: int
    ) -> tuple[Masks, tuple[str, ...]]:
        every = torch.cat([scores[name].reshape(-1) for name in spare])
        among = torch.cat([mask.reshape(-1) for mask in spare.values()])
        chosen = lowest(every, among, count).split([m.numel() for m in spare.values()])
        gone = {
            name: part.reshape(spare[name].shape)
            for name, part in zip(spare, chosen, strict=True)
        }
        return gone, self._saved(scores, spare, masks, gone)

    def _saved(
        self, scores: dict[str, Tensor], spare: Masks, masks: Masks, gone: Masks
    ) -> tuple[str, ...]:
        """A note on layers that are left with one weight below the threshold."""
        cuts = [scores[n][g].max() for n, g in gone.items() if bool(g.any())]
        highest = max(cuts, default=float("-inf"))
        best = {n: scores[n][masks[n] & ~candidates] for n, candidates in spare.items()}
        saved = [
            name
            for name, candidates in spare.items()
            if torch.equal(gone[name], candidates)
            and len(best[name]) == 1  # else it was a ceiling
            and bool((best[name] < highest).any())
        ]
        if not saved:
            return ()
        return (
            f"The threshold would empty {', '.join(saved)}; the best weight of each "
            "was kept.",
        )
