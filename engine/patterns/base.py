"""What a pattern is: which sets of weights may go together."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engine.allocation.base import Allocation, Candidates
from engine.allocation.units import Units
from engine.curvature.base import Curvature, Tensors
from engine.events import Noticed
from engine.masks import Masks
from engine.part import Part


@dataclass(frozen=True)
class Choice:
    """What stays.

    Attributes:
        masks: True = kept.
        scores: Saliency of each weight as it was compared, shaped as the weights; those
            that may only go together share theirs evenly.
        thresholds: Least saliency that could have gone and stayed, per layer; None
            where this choice cuts nothing, or all there was.
        sets: Positions (sets, size) in each layer of what goes together, numel is
            nobody; None where every weight goes by itself.
        units: What could have gone, with the saliencies as the curvature gave them.
        notes: What could not be done as asked.
    """

    masks: Masks
    scores: Tensors
    thresholds: dict[str, float | None]
    sets: Tensors | None
    units: Candidates
    notes: tuple[Noticed, ...] = ()


@dataclass(frozen=True)
class Sets(Units):
    """Units of several weights.

    Attributes:
        members: Positions in the flattened weight (units, size); numel is nobody.
    """

    members: Tensor


class Pattern(Part):
    """The shape of what is removed.

    Attributes:
        single: Whether every weight goes or stays by itself.
    """

    single: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Weights that are looked at together."""
        return 1

    def limits(self, masks: Masks) -> tuple[dict[str, int], tuple[str, ...]]:
        """The most zeros each layer can have, and notes on layers that do not fit."""
        return {name: mask.numel() for name, mask in masks.items()}, ()

    def choose(
        self,
        curvature: Curvature,
        weights: Tensors,
        masks: Masks,
        allocation: Allocation,
        level: float,
        uses: dict[str, float],
    ) -> Choice:
        """New masks at this level, as the allocation counts it.

        Args:
            curvature: Tells what is cheap.
            weights: As they are.
            masks: Kept weights so far.
            allocation: Tells how much goes where.
            level: Where to end.
            uses: Multiply-accumulates per weight of each layer, for one image.

        Raises:
            RunError: A saliency is not a finite number.
        """
        scores = curvature.scores(weights)
        found = self._units(curvature, weights, masks, scores)
        units = allocation.ranked(found, uses)
        sparsity = allocation.sparsity_at(level, units, masks, uses)
        chosen, notes = allocation.choose(units, masks, sparsity)
        kept = {
            name: masks[name] & ~_gone(units[name], chosen[name], masks[name])
            for name in masks
        }
        shown = {name: _shared(units[name], scores[name]) for name in masks}
        cuts = {name: _threshold(units[name], chosen[name]) for name in masks}
        together = {
            name: each.members[chosen[name]]
            for name, each in units.items()
            if isinstance(each, Sets)
        }
        return Choice(kept, shown, cuts, together or None, found, notes)

    def units(self, curvature: Curvature, weights: Tensors, masks: Masks) -> Candidates:
        """What could go of each layer, with the saliencies as the curvature has them.

        Args:
            curvature: Tells what is cheap.
            weights: As they are.
            masks: Kept weights so far.
        """
        return self._units(curvature, weights, masks, curvature.scores(weights))

    def _units(
        self, curvature: Curvature, weights: Tensors, masks: Masks, scores: Tensors
    ) -> Candidates:
        """What the allocation may choose from in each layer."""
        raise NotImplementedError


def _gone(units: Units, chosen: Tensor, mask: Tensor) -> Tensor:
    """Where the weights of the chosen units are."""
    if not isinstance(units, Sets):
        return chosen.reshape(mask.shape)
    found = mask.new_zeros(mask.numel() + 1)
    found[units.members[chosen]] = True
    return found[:-1].reshape(mask.shape)


def _shared(units: Units, scores: Tensor) -> Tensor:
    """The saliency of each weight, as its unit has it per weight."""
    if not isinstance(units, Sets):
        return units.scores.reshape(scores.shape)
    found = torch.cat([scores.reshape(-1), scores.new_zeros(1)])
    some = units.sizes > 0
    found[units.members[some]] = units.scores[some, None]
    return found[:-1].reshape(scores.shape)


def _threshold(units: Units, chosen: Tensor) -> float | None:
    left = (units.sizes > 0) & ~chosen
    if not bool(chosen.any()) or not bool(left.any()):
        return None
    return float(units.scores[left].min())
