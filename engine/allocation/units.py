"""Units: what may go of a layer, each whole or not at all, and the lowest of them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Units:
    """What may go of a layer: sets of weights, each whole or not at all.

    Attributes:
        scores: Saliency per weight of each unit, float64 (units,).
        sizes: Live weights that go with each (units,); 0 or False = not for choice.
    """

    scores: Tensor
    sizes: Tensor


def lowest(units: Units, count: int) -> Tensor:
    """Units with the lowest scores that together take `count` weights, (units,) bool.

    Lowest index first among equals; the number of weights that is nearest where whole
    units cannot make it, the smaller of two. Single weights, whose sizes are bool, take
    time O(n): one selection of the threshold, no sort.
    """
    among = units.sizes > 0
    chosen = torch.zeros_like(among)
    if count == 0:
        return chosen
    values = units.scores[among]
    if units.sizes.dtype == torch.bool:
        threshold = values.kthvalue(count).values
        below, ties = values < threshold, (values == threshold).nonzero().squeeze(1)
        below[ties[: count - int(below.sum())]] = True
    else:
        order = values.argsort(stable=True)
        taken = F.pad(units.sizes[among][order].cumsum(0), (1, 0))
        below = torch.zeros_like(values, dtype=torch.bool)
        below[order[: int((taken - count).abs().argmin())]] = True
    chosen[among] = below
    return chosen


def all_but_best(units: Units, mask: Tensor) -> Units:
    """All units, but the best where they would empty the layer; the last of equals."""
    sizes = units.sizes
    if not bool(mask.any()) or int(sizes.sum()) < int(mask.sum()):
        return units
    best = units.scores.masked_fill(sizes == 0, float("-inf"))
    sizes = sizes.clone()
    sizes[(best == best.max()).nonzero()[-1]] = 0
    return Units(units.scores, sizes)


def without(units: Units, chosen: Tensor) -> Units:
    """The same without a choice in these (units,) bool."""
    return Units(units.scores, units.sizes.masked_fill(chosen, 0))
