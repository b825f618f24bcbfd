"""What an allocation is: how the target sparsity spreads over the layers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine import masks as masking
from engine.errors import RunError
from engine.masks import Masks
from engine.part import Part, field


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

    def choose(
        self, scores: dict[str, Tensor], masks: Masks, sparsity: float
    ) -> Choice:
        """Masks with exactly round(sparsity * weights) zeros.

        Python's `round`, so halves go to the even number. Among equal saliencies the
        first by layer order, then by index, goes first. Weights that are removed
        already stay removed and count. Every layer keeps its best weight.

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
        spare = {name: _spare(scores[name], mask) for name, mask in masks.items()}
        possible = sum(int(mask.sum()) for mask in spare.values())
        going, notes = wanted - zeros, ()
        if going > possible:
            notes = (
                f"The target of {sparsity:.2%} would empty layers; each keeps one "
                f"weight, which makes {(zeros + possible) / total:.2%}.",
            )
            going = possible
        gone, more = self._pick(scores, spare, masks, going)
        kept = {name: mask & ~gone[name] for name, mask in masks.items()}
        thresholds = {
            name: float(scores[name][mask].min()) if bool(gone[name].any()) else None
            for name, mask in kept.items()
        }
        return Choice(kept, thresholds, notes + more)

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
