"""N:M: of every M neighbouring weights at most N stay."""

from typing import Literal

from pydantic import ConfigDict, model_validator
from torch import Tensor

from engine.allocation.units import Units
from engine.curvature.base import Curvature, Tensors
from engine.curvature.groups import neighbours, row_length, subsets
from engine.masks import Masks
from engine.part import field
from engine.patterns.base import Pattern, Sets


class NM(Pattern):
    """The M - N weights S of each group with the least 1/2 w_S^T ((F^-1)_SS)^-1 w_S.

    By exact enumeration with the group's part of the inverse (oBERT, Kurtic et al.,
    2022); N counts the kept. Groups are M neighbours in a row, input
    channels fastest, as sparse kernels have them. The pattern allows the sparsity
    1 - N / M; below it, as on a schedule's way, only the groups that lose least per
    weight have it, and a higher target becomes 1 - N / M. Layers whose rows M does not
    divide stay as they are. Cost O(d M) and C(M, N) systems per group.
    """

    model_config = ConfigDict(title="N:M")
    kind: Literal["n_m"] = "n_m"
    kept: int = field(
        2, "Kept (N)", "Weights that stay in each group; 2 of 4 runs fast on GPUs.",
        ge=1, le=7, unit="weights",
    )  # fmt: skip
    group: int = field(
        4, "Of (M)",
        "Weights side by side in a row, input channels fastest; N must be smaller.",
        ge=2, le=8, unit="weights",
    )  # fmt: skip

    @model_validator(mode="after")
    def _fewer_stay(self) -> "NM":
        if self.kept >= self.group:
            raise ValueError(
                f"{self.kept}:{self.group} would keep every weight; N must be smaller "
                "than M"
            )
        return self

    @property
    def width(self) -> int:
        """Of a group."""
        return self.group

    def limits(self, masks: Masks) -> tuple[dict[str, int], tuple[str, ...]]:
        """M - N of M in the layers that divide, and whatever is zero already."""
        odd = [name for name, mask in masks.items() if row_length(mask) % self.group]
        notes = []
        if odd:
            notes.append(
                f"Rows of {', '.join(odd)} do not divide by {self.group}; these layers "
                "are left as they are."
            )
        most = {
            name: int((~masks[name]).sum())
            + int(self._sizes(groups, masks[name].numel()).sum())
            for name, groups in self._groups(masks).items()
        }
        return most, tuple(notes)

    def _units(
        self, curvature: Curvature, weights: Tensors, masks: Masks, scores: Tensors
    ) -> dict[str, Units]:
        groups = self._groups(masks)
        ways = subsets(self.group, self.group - self.kept)
        found, units = curvature.cheapest(weights, groups, ways), {}
        for name, inside in groups.items():
            losses, best = found[name]
            numel = masks[name].numel()
            sizes = self._sizes(inside, numel)
            members = inside.masked_fill(~ways.to(inside.device)[best], numel)
            units[name] = Sets(losses / sizes.clamp_min(1), sizes, members)
        return units

    def _groups(self, masks: Masks) -> Tensors:
        """Of every layer (groups, M); none where M does not divide the rows."""
        found = {}
        for name, mask in masks.items():
            groups = neighbours(mask, self.group)
            found[name] = groups[: 0 if row_length(mask) % self.group else None]
        return found

    def _sizes(self, groups: Tensor, numel: int) -> Tensor:
        """How many weights each group still has too many (groups,)."""
        return ((groups < numel).sum(1) - self.kept).clamp_min(0)
