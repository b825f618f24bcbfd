"""What an allocation is: how the target sparsity spreads over the layers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from engine import masks as masking
from engine.errors import InputError, RunError
from engine.layers import matches
from engine.masks import Masks
from engine.part import Part, field

Shares = dict[str, Annotated[float, Field(ge=0, le=1)]]  # by pattern
Counts = dict[str, int]  # by layer


@dataclass(frozen=True)
class Choice:
    """What stays.

    Attributes:
        masks: True = kept.
        thresholds: Least kept saliency per layer; None where this choice cuts nothing.
        notes: Sentences on what could not be done as asked.
    """

    masks: Masks
    thresholds: dict[str, float | None]
    notes: tuple[str, ...] = ()


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
        least = sum(prices[name] * count for name, count in low.items()) / total
        most = sum(prices[name] * count for name, count in high.items()) / total
        slack = 0.5 * min(price for price in prices.values() if price) / total
        if self.floor and least > wanted + slack:
            raise InputError(
                f"The floors remove {least:.2%} of the {self.of}, more than the target "
                f"of {self.sparsity:.2%}.",
                "Lower allocation.floor, or raise allocation.sparsity.",
            )
        if self.ceiling and most < wanted - slack:
            raise InputError(
                f"The ceilings let {most:.2%} of the {self.of} go, less than the "
                f"target of {self.sparsity:.2%}.",
                "Raise allocation.ceiling, or lower allocation.sparsity.",
            )

    def prices(self, masks: Masks, uses: dict[str, float]) -> dict[str, float]:
        """What a weight of each layer counts for in `sparsity`."""
        return dict.fromkeys(masks, 1.0)

    def progress(self, masks: Masks, uses: dict[str, float]) -> float:
        """What the masks have reached, as `sparsity` counts it."""
        prices = self.prices(masks, uses)
        gone = sum(prices[n] * int((~mask).sum()) for n, mask in masks.items())
        return gone / sum(prices[n] * mask.numel() for n, mask in masks.items())

    def sparsity_at(
        self,
        level: float,
        scores: dict[str, Tensor],
        masks: Masks,
        uses: dict[str, float],
    ) -> float:
        """The fraction of weights that will be zero at a level of the schedule."""
        return level

    def rank(self, scores: dict[str, Tensor], uses: dict[str, float]) -> dict:
        """What `choose` compares, for saliencies and how often each weight is used.

        Args:
            scores: Saliencies per layer.
            uses: Multiply-accumulates per weight of each layer, for one image.
        """
        return scores

    def choose(
        self, scores: dict[str, Tensor], masks: Masks, sparsity: float
    ) -> Choice:
        """Masks with exactly round(sparsity * weights) zeros.

        Python's `round`, so halves go to the even number. Among equal saliencies the
        first by layer order, then by index, goes first. Weights that are removed
        already stay removed and count. Every layer keeps its best weight. Floors and
        ceilings hold to within one weight of a layer.

        Raises:
            RunError: The saliency of a live weight is not a finite number.
        """
        for name, mask in masks.items():
            if not bool((scores[name].isfinite() | ~mask).all()):
                raise RunError(
                    f"Saliencies of {name} are not finite.",
                    "Raise the damping, and check the checkpoint for broken weights.",
                )
        total, zeros = masking.total(masks), masking.zeros(masks)
        wanted = round(sparsity * total)
        if wanted < zeros:
            note = (
                f"The target of {sparsity:.2%} is below the sparsity of "
                f"{zeros / total:.2%} the network has, so nothing was removed."
            )
            return Choice(dict(masks), dict.fromkeys(masks), (note,))
        candidates, due = self._room(scores, masks, self._share(sparsity))
        possible = sum(int(mask.sum()) for mask in candidates.values())
        going, notes = wanted - zeros, ()
        if going > possible:
            notes = (
                f"The target of {sparsity:.2%} would empty layers; each keeps one "
                f"weight, which makes {(zeros + possible) / total:.2%}.",
            )
            going = possible
        asked = sum(due.values())
        if asked > going:
            floors = "The floors ask for more zeros than this step makes"
            notes += (f"{floors}; they are met as far as it goes.",)
            due = {name: count * going // asked for name, count in due.items()}
        forced = lowest_of_each(scores, candidates, due)
        left = {name: mask & ~forced[name] for name, mask in masks.items()}
        spare = {name: mask & ~forced[name] for name, mask in candidates.items()}
        gone, more = self._pick(scores, spare, left, going - sum(due.values()))
        kept = {name: mask & ~gone[name] for name, mask in left.items()}
        thresholds = {
            name: float(scores[name][mask].min())
            if not torch.equal(mask, masks[name])
            else None
            for name, mask in kept.items()
        }
        return Choice(kept, thresholds, notes + more)

    def _share(self, sparsity: float) -> float:
        """How much of the floors is due at this sparsity."""
        return min(sparsity / self.sparsity, 1.0) if self.sparsity else 1.0

    def _room(
        self, scores: dict[str, Tensor], masks: Masks, share: float
    ) -> tuple[Masks, Counts]:
        """Candidates within the ceilings, and how many go by the floors alone."""
        low, high = self._bounds(masks, share)
        spare = {name: _spare(scores[name], mask) for name, mask in masks.items()}
        if self.ceiling:
            spare = lowest_of_each(scores, spare, _beyond(high, masks))
        return spare, _beyond(low, masks)

    def _bounds(self, masks: Masks, share: float) -> tuple[Counts, Counts]:
        """Least and most zeros of every layer, with this share of the floors due."""
        low, high = {}, {}
        for name, mask in masks.items():
            size, live = mask.numel(), int(mask.sum())
            least = max(_meant(self.floor, name), default=0.0)
            most = min(_meant(self.ceiling, name), default=1.0)
            if least > most:
                raise InputError(
                    f"The floor of {name}, {least:.2%}, is above its ceiling of "
                    f"{most:.2%}.",
                    "Lower allocation.floor, or raise allocation.ceiling.",
                )
            zeros, last = size - live, size - min(live, 1)
            high[name] = max(min(math.ceil(most * size - 1e-9), last), zeros)
            low[name] = max(min(int(least * share * size + 1e-9), last), zeros)
        return low, high

    def _pick(
        self, scores: dict[str, Tensor], spare: Masks, masks: Masks, count: int
    ) -> tuple[Masks, tuple[str, ...]]:
        """Which `count` of the `spare` weights go (True), and notes on the choice."""
        raise NotImplementedError


def lowest(scores: Tensor, among: Tensor, count: int) -> Tensor:
    """Where the `count` lowest scores among the candidates are, lowest index first.

    Args:
        scores: (n,).
        among: (n,) bool, candidates; at least `count` of them.
        count: How many.

    Returns:
        (n,) bool. Time O(n): one selection of the threshold, no sort.
    """
    chosen = torch.zeros_like(among)
    if count == 0:
        return chosen
    values = scores[among]
    threshold = values.kthvalue(count).values
    below, ties = values < threshold, (values == threshold).nonzero().squeeze(1)
    below[ties[: count - int(below.sum())]] = True
    chosen[among] = below
    return chosen


def lowest_of_each(scores: dict[str, Tensor], among: Masks, counts: Counts) -> Masks:
    """The lowest scores among the candidates of every layer; see `lowest`."""
    chosen = {}
    for name, mask in among.items():
        flat, candidates = scores[name].reshape(-1), mask.reshape(-1)
        chosen[name] = lowest(flat, candidates, counts[name]).reshape(mask.shape)
    return chosen


def _spare(scores: Tensor, mask: Tensor) -> Tensor:
    """The live weights but the best; among equal ones the last is kept."""
    spare = mask.clone(memory_format=torch.contiguous_format)
    if bool(mask.any()):
        live = scores.masked_fill(~mask, float("-inf")).reshape(-1)
        spare.view(-1)[(live == live.max()).nonzero()[-1]] = False
    return spare


def _meant(shares: Mapping[str, float], name: str) -> list[float]:
    return [share for pattern, share in shares.items() if matches(pattern, name)]


def _beyond(counts: Counts, masks: Masks) -> Counts:
    """How many zeros each layer lacks."""
    return {n: counts[n] - int((~mask).sum()) for n, mask in masks.items()}
