"""Facts about layers that events carry: plain frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerInfo:
    """One weight tensor as the layer table shows it.

    Attributes:
        name: Full parameter name, `layer1.0.conv1.weight`.
        kind: Module type, `Conv2d`.
        shape: Of the weight.
        weights: Their number.
        macs: Multiply-accumulates for one image.
        zeros: Exact zeros now.
        status: `prunable`, `excluded` or `unsupported`.
        reason: Why it is not prunable; empty otherwise.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weights: int
    macs: int
    zeros: int
    status: str
    reason: str = ""


@dataclass(frozen=True)
class LayerState:
    """One prunable layer after a prune; `threshold` is the least kept saliency."""

    name: str
    weights: int
    zeros: int
    sparsity: float
    threshold: float | None = None


@dataclass(frozen=True)
class Histogram:
    """Saliencies of one layer, counted in equal bins of log10 between `low` and `high`.

    Attributes:
        live: Weights per bin that stay.
        removed: Weights per bin that this prune removes.
        below: Live or removed weights whose saliency is zero or negative.
        gone: Weights removed before, which have no saliency.
        cut: log10 of the layer's threshold; None when nothing is removed.
    """

    name: str
    low: float
    high: float
    live: tuple[int, ...]
    removed: tuple[int, ...]
    below: int = 0
    gone: int = 0
    cut: float | None = None
