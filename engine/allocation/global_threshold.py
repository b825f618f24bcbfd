"""One threshold for all layers: the joint setting of the papers."""

from typing import Literal

import torch
from pydantic import ConfigDict

from engine.allocation.base import Allocation, Chosen, Units, lowest
from engine.masks import Masks


class GlobalThreshold(Allocation):
    """The lowest saliencies of the whole network go."""

    model_config = ConfigDict(title="Global threshold")
    kind: Literal["global"] = "global"

    def _pick(
        self, spare: dict[str, Units], units: dict[str, Units], masks: Masks, count: int
    ) -> tuple[Chosen, tuple[str, ...]]:
        every = Units(
            torch.cat([each.scores for each in spare.values()]),
            torch.cat([each.sizes for each in spare.values()]),
        )
        parts = lowest(every, count).split([len(each.sizes) for each in spare.values()])
        gone = dict(zip(spare, parts, strict=True))
        return gone, self._saved(spare, units, gone)

    def _saved(
        self, spare: dict[str, Units], units: dict[str, Units], gone: Chosen
    ) -> tuple[str, ...]:
        """A note on layers that are left with one unit below the threshold."""
        cuts = [units[n].scores[g].max() for n, g in gone.items() if bool(g.any())]
        highest = max(cuts, default=float("-inf"))
        saved = []
        for name, each in spare.items():
            kept = (units[name].sizes > 0) & (each.sizes == 0)
            below = bool((units[name].scores[kept] < highest).any())
            if below and torch.equal(gone[name], each.sizes > 0):
                saved.append(name)
        if not saved:
            return ()
        return (
            f"The threshold would empty {', '.join(saved)}; the best of each was kept.",
        )
