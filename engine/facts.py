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
    """One prunable layer after a prune.

    Attributes:
        threshold: The least kept saliency.
        empty: Rows of the weight in which nothing is left; None is unknown. A row is an
            output channel, of a transposed convolution an input channel.
    """

    name: str
    weights: int
    zeros: int
    sparsity: float
    threshold: float | None = None
    empty: int | None = None


@dataclass(frozen=True)
class LayerPromise:
    """A layer's share of a prune step and of the loss increase it predicts.

    Attributes:
        name: Of the layer.
        removed: Weights that go.
        summed: As the sum of single saliencies.
        joint: For the exact joint removal per block; None if unknown.
    """

    name: str
    removed: int
    summed: float
    joint: float | None


@dataclass(frozen=True)
class LayerCurvature:
    """How much of a layer's inverse is measured and how much is damping.

    Attributes:
        name: Of the layer.
        weights: That were left.
        mean: Of the diagonal of F over them, without damping.
        damping: Mean over the blocks of what was added to it.
        blocks: Of the layer.
        raised: Blocks whose damping had to grow before there was an inverse.
    """

    name: str
    weights: int
    mean: float
    damping: float
    blocks: int
    raised: int


@dataclass(frozen=True)
class LayerTrace:
    """The Hessian's trace over a layer's live weights, and over each of its groups.

    Attributes:
        name: Of the layer.
        trace: Of the whole layer.
        error: Standard error of that over the probes.
        groups: Trace of each group that shares one, in the order of the weight.
        errors: Standard error of each.
    """

    name: str
    trace: float
    error: float
    groups: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class LayerStability:
    """Overlap (0 to 1) of what bootstrap samples remove with what all gradients do."""

    name: str
    mean: float
    least: float


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


def damping_ratio(layers: tuple[LayerCurvature, ...]) -> float | None:
    """Damping relative to the mean diagonal of F, over all live weights."""
    mean = sum(each.mean * each.weights for each in layers)
    added = sum(each.damping * each.weights for each in layers)
    return added / mean if mean else None


def raised_share(layers: tuple[LayerCurvature, ...]) -> float:
    """Share of all blocks whose damping had to grow."""
    return sum(each.raised for each in layers) / sum(each.blocks for each in layers)


def mean_overlap(layers: tuple[LayerStability, ...]) -> float:
    """Mean over the layers."""
    return sum(each.mean for each in layers) / len(layers)
