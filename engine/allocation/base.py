"""What an allocation is: how the target sparsity spreads over the layers."""

from dataclasses import dataclass

from torch import Tensor

from engine.masks import Masks
from engine.part import Part, field


@dataclass(frozen=True)
class Choice:
    """New masks (True = kept) and each layer's least kept saliency (None: none cut)."""

    masks: Masks
    thresholds: dict[str, float | None]


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
        """Masks with exactly round(sparsity * weights) zeros, ties broken by index.

        Weights that are removed already stay removed and count.
        """
        raise NotImplementedError
