"""What an allocation is: how the target sparsity spreads over the layers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

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

    def check(self, masks: Masks) -> None:
        """See before a run whether floors and ceilings leave room for the target.

        Raises:
            InputError: They do not; says how far they go.
        """
        low, high = self._bounds(masks, self.sparsity)
        total = max(masking.total(masks), 1)
        wanted = max(round(self.sparsity * total), masking.zeros(masks))
        if self.floor and sum(low.values()) > wanted:
            raise InputError(
                f"The floors make {sum(low.values()) / total:.2%} zero, more than the "
                f"target of {self.sparsity:.2%}.",
                "Lower allocation.floor, or raise allocation.sparsity.",
            )
        if self.ceiling and sum(high.values()) < wanted:
            raise InputError(
                f"The ceilings let {sum(high.values()) / total:.2%} be zero, less than "
                f"the target of {self.sparsity:.2%}.",
                "Raise allocation.ceiling, or lower allocation.sparsity.",
            )

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
        low, high = self._bounds(masks, sparsity)
        spare = {name: _spare(scores[name], mask) for name, mask in masks.items()}
        if self.ceiling:
            spare = _lowest_of_each(scores, spare, _beyond(high, masks))
        possible = sum(int(mask.sum()) for mask in spare.values())
        going, notes = wanted - zeros, ()
        if going > possible:
            notes = (
                f"The target of {sparsity:.2%} would empty layers; each keeps one "
                f"weight, which makes {(zeros + possible) / total:.2%}.",
            )
            going = possible
        forced: Masks = {}
        if self.floor:
            forced, short = self._forced(scores, spare, _beyond(low, masks), going)
            notes += short
            going -= sum(int(mask.sum()) for mask in forced.values())
            spare = {name: mask & ~forced[name] for name, mask in spare.items()}
        left = {n: mask & ~forced[n] if forced else mask for n, mask in masks.items()}
        gone, more = self._pick(scores, spare, left, going)
        kept = {name: mask & ~gone[name] for name, mask in left.items()}
        thresholds = {
            name: float(scores[name][mask].min())
            if not torch.equal(mask, masks[name])
            else None
            for name, mask in kept.items()
        }
        return Choice(kept, thresholds, notes + more)

    def _bounds(self, masks: Masks, sparsity: float) -> tuple[Counts, Counts]:
        """Least and most zeros of every layer at this sparsity."""
        share = min(sparsity / self.sparsity, 1.0) if self.sparsity else 1.0
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

    def _forced(
        self, scores: dict[str, Tensor], spare: Masks, counts: Counts, going: int
    ) -> tuple[Masks, tuple[str, ...]]:
        """What goes by the floors alone, and a note if the step is too small for it."""
        asked = sum(counts.values())
        if asked <= going:
            return _lowest_of_each(scores, spare, counts), ()
        floors = "The floors ask for more zeros than this step makes"
        counts = {name: count * going // asked for name, count in counts.items()}
        return _lowest_of_each(scores, spare, counts), (
            f"{floors}; they are met as far as it goes.",
        )

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


def _lowest_of_each(scores: dict[str, Tensor], among: Masks, counts: Counts) -> Masks:
    chosen = {}
    for name, mask in among.items():
        flat, candidates = scores[name].reshape(-1), mask.reshape(-1)
        count = min(counts[name], int(candidates.sum()))
        chosen[name] = lowest(flat, candidates, count).reshape(mask.shape)
    return chosen
