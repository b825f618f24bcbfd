"""One threshold for all layers: the joint setting of the papers."""

from typing import Literal

import torch
from pydantic import ConfigDict

from engine.allocation.base import Allocation, Candidates, Chosen, Counts
from engine.allocation.units import Units, lowest
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

    def weight_of(self, uses: float) -> float:
        """Uses of a weight to the power `macs_power` (FLOPs-aware).

        A layer's multiply-accumulates per live weight do not change with its mask:
        they are how often one image uses each of its weights. A layer where none were
        seen counts as one use.
        """
        return max(uses, 1.0) ** self.macs_power

    def _pick(
        self,
        spare: Candidates,
        units: Candidates,
        masks: Masks,
        begun: Counts,
        count: int,
    ) -> tuple[Chosen, tuple[str, ...]]:
        every = Units(
            torch.cat([each.scores for each in spare.values()]),
            torch.cat([each.sizes for each in spare.values()]),
        )
        parts = lowest(every, count).split([len(each.sizes) for each in spare.values()])
        gone = dict(zip(spare, parts, strict=True))
        return gone, self._saved(spare, units, gone)

    def _saved(
        self, spare: Candidates, units: Candidates, gone: Chosen
    ) -> tuple[str, ...]:
        """A note on layers that are left with one unit below the threshold."""
        cuts = [units[n].scores[g].max() for n, g in gone.items() if bool(g.any())]
        highest = max(cuts, default=float("-inf"))
        saved = []
        for name, each in spare.items():
            kept = (units[name].sizes > 0) & (each.sizes == 0)
            below = bool((units[name].scores[kept] < highest).any())
            one = int(kept.sum()) == 1  # else it was a floor or a ceiling
            if one and below and torch.equal(gone[name], each.sizes > 0):
                saved.append(name)
        if not saved:
            return ()
        return (
            f"The threshold would empty {', '.join(saved)}; the best of each was kept.",
        )
