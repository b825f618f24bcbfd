"""The layer table: a network's weights, their cost, and which can be pruned."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from torch import nn

from engine.covering import covers
from engine.events import LayerInfo, LayerState
from engine.macs import ATTENTION, COUNTED, macs
from engine.masks import Masks

NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
    nn.LayerNorm, nn.GroupNorm, nn.RMSNorm,
)  # fmt: skip


@dataclass(frozen=True)
class Weight:
    """A weight tensor and the first module that owns it."""

    name: str
    tensor: nn.Parameter
    owner: nn.Module
    shared: tuple[str, ...]

    @property
    def own(self) -> str:
        """Its name inside the owner."""
        return self.name.rpartition(".")[2]


def survey(
    model: nn.Module, shape: tuple[int, ...] | None, exclude: Iterable[str]
) -> tuple[LayerInfo, ...]:
    """Every weight in the order of definition; biases are not listed.

    Args:
        model: In eval mode, on any device.
        shape: Of one input; None leaves the multiply-accumulates at 0.
        exclude: Names or patterns of layers the person leaves dense.
    """
    costs = macs(model, shape) if shape else Counter()
    return tuple(
        _info(weight, costs[id(weight.tensor)], tuple(exclude))
        for weight in _weights(model)
    )


def unmatched(exclude: Iterable[str], layers: Iterable[LayerInfo]) -> tuple[str, ...]:
    """The patterns that name no layer, so most likely are mistyped."""
    names = [layer.name for layer in layers]
    return tuple(p for p in exclude if not any(covers(p, name) for name in names))


def closest(pattern: str, layers: Iterable[LayerInfo]) -> str:
    """A sentence on the name nearest to a pattern that names no layer."""
    names: dict[str, None] = {}
    for layer in layers:
        parts = layer.name.split(".")
        names |= {".".join(parts[:end]): None for end in range(1, len(parts) + 1)}
    near = get_close_matches(pattern, names, 1)
    if near:
        return f"The nearest name is {near[0]!r}."
    return "The layer table and `python -m engine inspect` list the layers."


def layer_states(
    masks: Masks, thresholds: dict[str, float | None]
) -> tuple[LayerState, ...]:
    """Every prunable layer as its mask (True = kept) says."""
    gone = {name: int((~mask).sum()) for name, mask in masks.items()}
    return tuple(
        LayerState(
            name,
            mask.numel(),
            gone[name],
            gone[name] / mask.numel(),
            thresholds.get(name),
            int((~mask.flatten(1)).all(1).sum()) if mask.ndim > 1 else None,
        )
        for name, mask in masks.items()
    )


def parameter_count(model: nn.Module) -> int:
    """All parameters, shared ones once."""
    return sum(p.numel() for p in model.parameters() if not nn.parameter.is_lazy(p))


def total_macs(layers: Iterable[LayerInfo]) -> int:
    """Multiply-accumulates of all weights for one image."""
    return sum(layer.macs for layer in layers)


def uses(layers: Iterable[LayerInfo]) -> dict[str, float]:
    """How often one image uses each weight of a layer: multiply-accumulates of one."""
    return {layer.name: layer.macs / max(layer.weights, 1) for layer in layers}


def _weights(model: nn.Module) -> Iterator[Weight]:
    """Parameters called weight, or of two and more dimensions; shared ones once."""
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    for name, parameter in model.named_parameters():
        path, _, own = name.rpartition(".")
        lazy = nn.parameter.is_lazy(parameter)
        if own == "weight" or (not lazy and parameter.ndim > 1):
            shared = tuple(n for n in names[id(parameter)] if n != name)
            yield Weight(name, parameter, model.get_submodule(path), shared)


def _info(weight: Weight, cost: int, exclude: tuple[str, ...]) -> LayerInfo:
    status, reason = _status(weight, exclude)
    tensor = weight.tensor
    lazy = nn.parameter.is_lazy(tensor)
    return LayerInfo(
        name=weight.name,
        kind=_kind(weight.owner),
        shape=() if lazy else tuple(tensor.shape),
        weights=0 if lazy else tensor.numel(),
        macs=cost,
        zeros=0 if lazy else int((tensor.detach() == 0).sum()),
        status=status,
        reason=reason,
    )


def _kind(module: nn.Module) -> str:
    """Its type; torch's private variants of Linear by that name."""
    own = type(module)
    ours = own.__module__.startswith("torch.nn.") and isinstance(module, nn.Linear)
    return "Linear" if ours else own.__name__


def _status(weight: Weight, exclude: tuple[str, ...]) -> tuple[str, str]:
    """(prunable, excluded or unsupported, why); prunable ones tell of sharing."""
    owner = weight.owner
    if isinstance(owner, NORMS):
        return "excluded", "normalisation is never pruned"
    reason = _unsupported(weight)
    if reason:
        return "unsupported", reason
    names = (weight.name, *weight.shared)
    for pattern in exclude:
        if any(covers(pattern, name) for name in names):
            return "excluded", f"excluded by {pattern}"
    shared = f"shared with {', '.join(weight.shared)}" if weight.shared else ""
    return "prunable", shared


def _unsupported(weight: Weight) -> str:
    owner, tensor = weight.owner, weight.tensor
    if nn.parameter.is_lazy(tensor):
        return "not initialised yet"
    if not tensor.is_floating_point():
        return f"{str(tensor.dtype).removeprefix('torch.')} weights are not supported"
    if isinstance(owner, nn.EmbeddingBag):
        return "bags of embeddings are not supported"
    if isinstance(owner, nn.RNNBase | nn.RNNCellBase):
        return "recurrent layers are not supported"
    if isinstance(owner, nn.MultiheadAttention) and weight.own in ATTENTION:
        return ""
    if isinstance(owner, (nn.Embedding, *COUNTED)) and weight.own == "weight":
        return ""
    return f"{weight.own} of {_kind(owner)} is not a weight that can be pruned"
