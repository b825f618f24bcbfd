"""What an allocation is: how the target sparsity spreads over the layers."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine import masks as masking
from engine.errors import RunError
from engine.masks import Masks
from engine.part import Part, field

Chosen = dict[str, Tensor]  # (units,) bool per layer; True = goes


@dataclass(frozen=True)
class Units:
    """What may go of a layer: sets of weights, each whole or not at all.

    Attributes:
        scores: Saliency per weight of each unit, float64 (units,).
        sizes: Live weights that go with each (units,); 0 or False = not for choice.
    """

    scores: Tensor
    sizes: Tensor


class Allocation(Part):
    """How much goes, and where."""

    sparsity: float = field(
        0.9, "Sparsity", "Fraction of the prunable weights that will be zero.",
        ge=0, lt=1,
    )  # fmt: skip
    exclude: tuple[str, ...] = field(
        (), "Excluded layers",
        "Names or patterns of layers left dense, such as `fc.*` or `*.downsample.*`.",
    )  # fmt: skip

    def choose(
        self, units: dict[str, Units], masks: Masks, sparsity: float
    ) -> tuple[Chosen, tuple[str, ...]]:
        """Which units go (True), and notes on what could not be done as asked.

        They take exactly round(sparsity * weights) zeros, or the number next to it that
        whole units can make. Python's `round`, so halves go to the even number. Among
        equal saliencies the first by layer order, then by index, goes first. Weights
        that are removed already count. A layer whose units cover all of its live
        weights keeps the best one.

        Raises:
            RunError: The saliency of a unit is not a finite number.
        """
        for name, each in units.items():
            if not bool((each.scores.isfinite() | (each.sizes == 0)).all()):
                raise RunError(
                    f"Saliencies of {name} are not finite.",
                    "Raise the damping, and check the checkpoint for broken weights.",
                )
        total, zeros = masking.total(masks), masking.zeros(masks)
        wanted = round(sparsity * total)
        if wanted < zeros:
            nothing = {n: torch.zeros_like(u.sizes).bool() for n, u in units.items()}
            return nothing, (
                f"The target of {sparsity:.2%} is below the sparsity of "
                f"{zeros / total:.2%} the network has, so nothing was removed.",
            )
        spare = {name: _spare(each, masks[name]) for name, each in units.items()}
        possible = sum(int(each.sizes.sum()) for each in spare.values())
        going, notes = wanted - zeros, ()
        if going > possible:
            why = "would empty layers; each keeps its best"
            if all(spare[name] is each for name, each in units.items()):
                why = "is more than the pattern can take"
            notes = (
                f"The target of {sparsity:.2%} {why}, which makes "
                f"{(zeros + possible) / total:.2%}.",
            )
            going = possible
        gone, more = self._pick(spare, units, masks, going)
        taken = sum(int(u.sizes[gone[n]].sum()) for n, u in units.items())
        if taken != going:
            whole = (
                f"{zeros + taken:,} weights are zero instead of {zeros + going:,}, "
                "because groups go whole."
            )
            more = (*more, whole)
        return gone, notes + more

    def _pick(
        self, spare: dict[str, Units], units: dict[str, Units], masks: Masks, count: int
    ) -> tuple[Chosen, tuple[str, ...]]:
        """Which of the `spare` units go for `count` weights, and notes on the choice.

        `units` has those as well that are kept so that no layer is empty.
        """
        raise NotImplementedError


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


def _spare(units: Units, mask: Tensor) -> Units:
    """All units, but the best where they would empty the layer; the last of equals."""
    sizes = units.sizes
    if not bool(mask.any()) or int(sizes.sum()) < int(mask.sum()):
        return units
    best = units.scores.masked_fill(sizes == 0, float("-inf"))
    sizes = sizes.clone()
    sizes[(best == best.max()).nonzero()[-1]] = 0
    return Units(units.scores, sizes)
