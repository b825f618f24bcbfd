"""What an allocation is: how the target sparsity spreads over the layers."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from engine import masks as masking
from engine.allocation.units import Units, all_but_best, lowest, without
from engine.covering import covers
from engine.errors import InputError, RunError
from engine.events import Noticed
from engine.masks import Masks
from engine.part import Part, field
from engine.words.units import percent

Shares = dict[str, Annotated[float, Field(ge=0, le=1)]]  # by pattern
Counts = dict[str, int]  # by layer
Candidates = dict[str, Units]  # by layer
Chosen = dict[str, Tensor]  # (units,) bool per layer; True = goes


class Allocation(Part):
    """How much goes, and where."""

    of: ClassVar[str] = "weights"  # what `sparsity` is a fraction of
    sparsity: float = field(
        0.9, "Sparsity", "Fraction of the prunable weights that will be zero.",
        ge=0, lt=1,
    )  # fmt: skip
    exclude: tuple[str, ...] = field(
        (), "Excluded layers",
        "Names or patterns of layers left dense, such as `fc.*` or `*.downsample.*`.",
    )  # fmt: skip
    floor: Shares = field(
        {}, "Least sparsity",
        "Layers that will be at least this sparse, such as `fc=0.5, layer3=0.9`; in a "
        "schedule it grows in step with the sparsity.",
        advanced=True,
    )  # fmt: skip
    ceiling: Shares = field(
        {}, "Most sparsity",
        "Layers that will be at most this sparse, such as `conv1=0.5`.",
        advanced=True,
    )  # fmt: skip

    def check(self, masks: Masks, uses: dict[str, float]) -> None:
        """See before a run whether floors and ceilings leave room for the target.

        Args:
            masks: Kept weights so far.
            uses: Multiply-accumulates per weight of each layer, for one image.

        Raises:
            InputError: They do not; says how far they go.
        """
        low, high = self._bounds(masks, 1.0)
        prices = self.prices(masks, uses)
        total = sum(prices[name] * mask.numel() for name, mask in masks.items())
        if not total:
            raise InputError(
                "No multiply-accumulates were seen in the prunable layers.",
                "Set allocation.kind to global or uniform.",
            )
        wanted = max(self.sparsity, self.progress(masks, uses))
        if self.of == "weights":  # of which `choose` takes a whole number
            wanted = round(wanted * total) / total
        least = sum(prices[name] * count for name, count in low.items()) / total
        most = sum(prices[name] * count for name, count in high.items()) / total
        slack = 0.5 * min(price for price in prices.values() if price) / total
        if self.floor and least > wanted + slack:
            raise InputError(
                f"The floors remove {percent(least, 2)} of the {self.of}, more than "
                f"the target of {percent(self.sparsity, 2)}.",
                "Lower allocation.floor, or raise allocation.sparsity.",
            )
        if self.ceiling and most < wanted - slack:
            raise InputError(
                f"The ceilings let {percent(most, 2)} of the {self.of} go, less than "
                f"the target of {percent(self.sparsity, 2)}.",
                "Raise allocation.ceiling, or lower allocation.sparsity.",
            )

    def prices(self, masks: Masks, uses: dict[str, float]) -> dict[str, float]:
        """What a weight of each layer counts for in `sparsity`."""
        return dict.fromkeys(masks, 1.0)

    def progress(self, masks: Masks, uses: dict[str, float]) -> float:
        """What the masks have reached, as `sparsity` counts it."""
        return self.share({n: int((~m).sum()) for n, m in masks.items()}, masks, uses)

    def share(self, zeros: Counts, masks: Masks, uses: dict[str, float]) -> float:
        """What so many zeros of each layer come to, as `sparsity` counts them."""
        prices = self.prices(masks, uses)
        gone = sum(prices[name] * count for name, count in zeros.items())
        return gone / sum(prices[n] * mask.numel() for n, mask in masks.items())

    def sparsity_at(
        self,
        level: float,
        units: Candidates,
        masks: Masks,
        uses: dict[str, float],
    ) -> float:
        """The fraction of weights that will be zero at a level of the schedule."""
        return level

    def weight_of(self, uses: float) -> float:
        """What divides the saliencies of a layer before they are compared.

        Args:
            uses: Its multiply-accumulates per weight, for one image.
        """
        return 1.0

    def ranked(self, units: Candidates, uses: dict[str, float]) -> Candidates:
        """The units with the saliencies that `choose` compares."""
        divisors = {name: self.weight_of(uses[name]) for name in units}
        return {
            name: each
            if divisors[name] == 1
            else replace(each, scores=each.scores / divisors[name])
            for name, each in units.items()
        }

    def choose(
        self, units: Candidates, masks: Masks, sparsity: float
    ) -> tuple[Chosen, tuple[Noticed, ...]]:
        """Which units go (True), and what could not be done as asked.

        They take exactly round(sparsity * weights) zeros, or the number next to it that
        whole units can make. Python's `round`, so halves go to the even number. Among
        equal saliencies the first by layer order, then by index, goes first. Weights
        that are removed already count. A layer whose units cover all of its live
        weights keeps the best one. Floors and ceilings hold to within one unit.

        Raises:
            RunError: The saliency of a unit is not a finite number.
        """
        ensure_finite(units)
        total, zeros = masking.total(masks), masking.zeros(masks)
        wanted = round(sparsity * total)
        if wanted < zeros:
            nothing = {n: torch.zeros_like(u.sizes).bool() for n, u in units.items()}
            return nothing, _warned(
                f"The target of {percent(sparsity, 2)} is below the sparsity of "
                f"{percent(zeros / total, 2)} the network has, so nothing was removed."
            )
        candidates, due = self._room(units, masks, self._share(sparsity))
        most = {name: int(each.sizes.sum()) for name, each in candidates.items()}
        possible = sum(most.values())
        going, notes = wanted - zeros, ()
        if going > possible:
            why = "would empty layers; each keeps its best"
            if all(candidates[name] is each for name, each in units.items()):
                why = "is more than the pattern can take"
            notes = (
                f"The target of {percent(sparsity, 2)} {why}, which makes "
                f"{percent((zeros + possible) / total, 2)}.",
            )
            going = possible
        lacking = [name for name in candidates if most[name] < due[name]]
        if lacking:
            notes += (f"The pattern cannot meet the floor of {', '.join(lacking)}.",)
        due = {name: min(count, most[name]) for name, count in due.items()}
        asked = sum(due.values())
        if asked > going:
            floors = "The floors ask for more zeros than this step makes"
            notes += (f"{floors}; they are met as far as it goes.",)
            due = {name: count * going // asked for name, count in due.items()}
        forced = {name: lowest(each, due[name]) for name, each in candidates.items()}
        spare = {name: without(each, forced[name]) for name, each in candidates.items()}
        begun = {
            name: int((~mask).sum()) + int(candidates[name].sizes[forced[name]].sum())
            for name, mask in masks.items()
        }
        left = max(going - (sum(begun.values()) - zeros), 0)
        picked, more = self._pick(spare, units, masks, begun, left)
        gone = {name: forced[name] | picked[name] for name in units}
        taken = sum(int(u.sizes[gone[n]].sum()) for n, u in units.items())
        told = _warned(*notes, *more)
        if taken != going:  # within a group of each layer: `going` is what can be had
            whole = (
                f"{zeros + taken:,} weights are zero instead of {zeros + going:,}, "
                "because groups go whole."
            )
            told = (*told, Noticed("info", whole))
        return gone, told

    def _share(self, sparsity: float) -> float:
        """How much of the floors is due at this sparsity."""
        return min(sparsity / self.sparsity, 1.0) if self.sparsity else 1.0

    def _room(
        self, units: Candidates, masks: Masks, share: float
    ) -> tuple[Candidates, Counts]:
        """Candidates within the ceilings, and how many weights go by floors alone."""
        low, high = self._bounds(masks, share)
        spare = {name: all_but_best(each, masks[name]) for name, each in units.items()}
        if self.ceiling:
            room = _beyond(high, masks)
            spare = {
                name: each
                if room[name] >= int(each.sizes.sum())
                else without(each, ~lowest(each, room[name]))
                for name, each in spare.items()
            }
        return spare, _beyond(low, masks)

    def _bounds(self, masks: Masks, share: float) -> tuple[Counts, Counts]:
        sizes = {name: mask.numel() for name, mask in masks.items()}
        zeros = {name: int((~mask).sum()) for name, mask in masks.items()}
        return self.bounds(sizes, zeros, share)

    def limits(self, name: str) -> tuple[float, float]:
        """The highest floor and the lowest ceiling of a layer."""
        least = max(_meant(self.floor, name), default=0.0)
        return least, min(_meant(self.ceiling, name), default=1.0)

    def bounds(
        self, sizes: Counts, zeros: Counts, share: float = 1.0
    ) -> tuple[Counts, Counts]:
        """Least and most zeros of every layer.

        Args:
            sizes: Weights.
            zeros: How many of them are zero already.
            share: Of the floors that is due.

        Raises:
            InputError: A floor is above a ceiling.
        """
        low, high = {}, {}
        for name, size in sizes.items():
            gone, live = zeros[name], size - zeros[name]
            least, most = self.limits(name)
            if least > most:
                raise InputError(
                    f"The floor of {name}, {percent(least, 2)}, is above its "
                    f"ceiling of {percent(most, 2)}.",
                    "Lower allocation.floor, or raise allocation.ceiling.",
                )
            last = size - min(live, 1)
            high[name] = max(min(math.ceil(most * size - 1e-9), last), gone)
            low[name] = max(min(int(least * share * size + 1e-9), last), gone)
        return low, high

    def _pick(
        self,
        spare: Candidates,
        units: Candidates,
        masks: Masks,
        begun: Counts,
        count: int,
    ) -> tuple[Chosen, tuple[str, ...]]:
        """Which of the `spare` units go for `count` weights, and notes on the choice.

        `units` has those as well that stay so that no layer is empty, that a ceiling
        keeps, or that go by a floor; `begun` counts the zeros of each layer with those.
        """
        raise NotImplementedError


def ensure_finite(units: Candidates) -> None:
    """See that saliencies can be compared.

    Raises:
        RunError: The saliency of a unit is not a finite number.
    """
    for name, each in units.items():
        if not bool((each.scores.isfinite() | (each.sizes == 0)).all()):
            raise RunError(
                f"Saliencies of {name} are not finite.",
                "Check the checkpoint for broken weights; where the method has a "
                "damping, raise it.",
            )


def _warned(*notes: str) -> tuple[Noticed, ...]:
    return tuple(Noticed("warning", note) for note in notes)


def _meant(shares: Mapping[str, float], name: str) -> list[float]:
    return [share for pattern, share in shares.items() if covers(pattern, name)]


def _beyond(counts: Counts, masks: Masks) -> Counts:
    """How many zeros each layer lacks."""
    return {n: counts[n] - int((~mask).sum()) for n, mask in masks.items()}
