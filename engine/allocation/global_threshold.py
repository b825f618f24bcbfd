"""One threshold for all layers: the joint setting of the papers."""

from typing import Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.allocation.base import Allocation, lowest
from engine.masks import Masks


class GlobalThreshold(Allocation):
    """The lowest saliencies of the whole network go."""

    model_config = ConfigDict(title="Global threshold")
    kind: Literal["global"] = "global"

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
            and bool((best[name] < highest).any())
        ]
        if not saved:
            return ()
        return (
            f"The threshold would empty {', '.join(saved)}; the best weight of each "
            "was kept.",
        )
