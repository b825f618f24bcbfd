"""The layer table: a network's weights, their cost, and which can be pruned."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.hooks import RemovableHandle

from engine.events import LayerInfo

NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
    nn.LayerNorm, nn.GroupNorm, nn.RMSNorm,
)  # fmt: skip
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
ATTENTION = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
COUNTED = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED, nn.MultiheadAttention)
BATCH = 2  # images of the measuring pass; some networks fail with one


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
    model: nn.Module, shape: tuple[int, ...], exclude: Iterable[str]
) -> tuple[LayerInfo, ...]:
    """Every weight in the order of definition; biases are not listed.

    Args:
        model: In eval mode, on any device.
        shape: Of one input.
        exclude: Names or patterns of layers the person leaves dense.
    """
    macs = _macs(model, shape)
    return tuple(
        _info(weight, macs[id(weight.tensor)], tuple(exclude))
        for weight in _weights(model)
    )


def unmatched(exclude: Iterable[str], layers: Iterable[LayerInfo]) -> tuple[str, ...]:
    """The patterns that name no layer, so most likely are mistyped."""
    names = [layer.name for layer in layers]
    return tuple(p for p in exclude if not any(matches(p, name) for name in names))


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern means this weight: its name, or a module it is part of.

    `fc`, `fc.weight`, `layer?`, `*.downsample.*` and `layer1` (all below it) all do.
    """
    parts = name.split(".")
    ends = range(1, len(parts) + 1)
    return any(fnmatchcase(".".join(parts[:end]), pattern) for end in ends)


def parameter_count(model: nn.Module) -> int:
    """All parameters, shared ones once."""
    return sum(p.numel() for p in model.parameters() if not nn.parameter.is_lazy(p))


def total_macs(layers: Iterable[LayerInfo]) -> int:
    """Multiply-accumulates of all weights for one image."""
    return sum(layer.macs for layer in layers)


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


def _info(weight: Weight, macs: int, exclude: tuple[str, ...]) -> LayerInfo:
    status, reason = _status(weight, exclude)
    tensor = weight.tensor
    lazy = nn.parameter.is_lazy(tensor)
    return LayerInfo(
        name=weight.name,
        kind=_kind(weight.owner),
        shape=() if lazy else tuple(tensor.shape),
        weights=0 if lazy else tensor.numel(),
        macs=macs,
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
        if any(matches(pattern, name) for name in names):
            return "excluded", f"excluded by {pattern}"
    shared = f"shared with {', '.join(weight.shared)}" if weight.shared else ""
    return "prunable", shared


def _unsupported(weight: Weight) -> str:
    owner, tensor = weight.owner, weight.tensor
    if nn.parameter.is_lazy(tensor):
        return "not initialised yet"
    if not tensor.is_floating_point():
        return f"{str(tensor.dtype).removeprefix('torch.')} weights are not supported"
    if isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        return "embedding tables are not supported"
    if isinstance(owner, nn.RNNBase | nn.RNNCellBase):
        return "recurrent layers are not supported"
    if isinstance(owner, nn.MultiheadAttention) and weight.own in ATTENTION:
        return ""
    if isinstance(owner, COUNTED) and weight.own == "weight":
        return ""
    return f"{weight.own} of {_kind(owner)} is not a weight that can be pruned"


def _macs(model: nn.Module, shape: tuple[int, ...]) -> Counter[int]:
    """Multiply-accumulates of one image by parameter id, measured in one pass."""
    counted: Counter[int] = Counter()

    def watch(module: nn.Module) -> RemovableHandle:
        ids = {name: id(p) for name, p in module.named_parameters()}

        def count(module: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
            for name, macs in _costs(module, args, kwargs, output):
                counted[ids.get(name, 0)] += macs

        return module.register_forward_hook(count, with_kwargs=True)

    with ExitStack() as hooks, torch.no_grad():
        for module in model.modules():
            if isinstance(module, COUNTED):
                hooks.callback(watch(module).remove)
        try:
            _shapes_only(model, shape)
        except Exception:  # code that mixes in tensors of its own, or looks at values
            counted.clear()
            device = next((p.device for p in model.parameters()), None)
            model(torch.zeros(BATCH, *shape, device=device))
    return Counter({key: macs // BATCH for key, macs in counted.items()})


def _shapes_only(model: nn.Module, shape: tuple[int, ...]) -> None:
    """A pass with meta tensors: shapes without arithmetic, quick for any network."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    hollow = {name: tensor.to("meta") for name, tensor in tensors.items()}
    functional_call(model, hollow, (torch.empty(BATCH, *shape, device="meta"),))


def _costs(
    module: nn.Module, args: tuple, kwargs: dict, output: Any
) -> Iterator[tuple[str, int]]:
    """(parameter's name in the module, multiply-accumulates) of one call."""
    if isinstance(module, nn.MultiheadAttention):
        inputs = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
        queries, *others = (_rows(inputs[n]) for n in ("query", "key", "value"))
        if module.in_proj_weight is not None:
            yield "in_proj_weight", (queries + sum(others)) * module.embed_dim**2
        else:
            for name, rows in zip(ATTENTION[1:], (queries, *others), strict=True):
                yield name, rows * module.get_parameter(name).numel()
        yield "out_proj.weight", queries * module.embed_dim**2
    elif isinstance(module, TRANSPOSED):
        places = args[0].numel() // module.in_channels
        yield "weight", places * module.weight.numel()
    elif isinstance(module, CONVOLUTIONS):
        places = output.numel() // module.out_channels
        yield "weight", places * module.weight.numel()
    else:
        yield "weight", _rows(output) * module.weight.numel()


def _rows(tensor: Tensor) -> int:
    """Vectors in a tensor whose last axis is the features."""
    return tensor.numel() // tensor.shape[-1]
