"""Multiply-accumulates of a network's weights, measured in one pass."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.overrides import TorchFunctionMode

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
ATTENTION = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
COUNTED = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED, nn.MultiheadAttention)
LARGE = 5_000_000  # parameters from which a pass of shapes alone pays
BATCH = 2  # images of the measuring pass; some networks fail with one

Cost = tuple[Tensor, int]  # a weight and the multiply-accumulates of one use


def macs(model: nn.Module, shape: tuple[int, ...]) -> Counter[int]:
    """Multiply-accumulates of one image by parameter `id`; 0 where none were seen.

    Uses of a weight itself are counted, by whichever layer or function. A layer that
    computes its weight from its parameter is counted by its own calls.

    Args:
        model: In eval mode, on any device; as before when this returns.
        shape: Of one input.
    """
    uses, calls = _Uses(), Counter[int]()

    def called(module: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
        for weight, count in _call(module, args, kwargs, output):
            calls[id(weight)] += count

    with ExitStack() as hooks, torch.no_grad():
        for module in model.modules():
            if isinstance(module, COUNTED):
                hook = module.register_forward_hook(called, with_kwargs=True)
                hooks.callback(hook.remove)
        hollow = _hollow_pass(model, shape, uses)
        if hollow is None:
            uses.counted.clear()
            calls.clear()
            hollow = dict(model.named_parameters())
            device = next((p.device for p in model.parameters()), None)
            with uses:
                model(torch.zeros(BATCH, *shape, device=device))
    found: Counter[int] = Counter()
    for name, parameter in model.named_parameters():
        stand_in = id(hollow[name])
        found[id(parameter)] = uses.counted[stand_in] or calls[stand_in]
    return Counter({key: count // BATCH for key, count in found.items()})


def _hollow_pass(
    model: nn.Module, shape: tuple[int, ...], uses: "_Uses"
) -> dict[str, Tensor] | None:
    """A pass of shapes alone; its stand-ins by name, or None where that will not do.

    Its first use imports seconds of code, more than a real pass of a small network.
    """
    known = (w for w in model.parameters() if not nn.parameter.is_lazy(w))
    if sum(weight.numel() for weight in known) < LARGE:
        return None
    try:
        hollow = _hollow(model)
        with uses:
            images = torch.empty(BATCH, *shape, device="meta")
            functional_call(model, hollow, (images,), tie_weights=False)
    except Exception:  # code that mixes in tensors of its own, or looks at values
        return None
    return hollow


def _hollow(model: nn.Module) -> dict[str, Tensor]:
    """Meta tensors by name: shapes without arithmetic, quick for any network.

    Tied parameters share one; a module that is used twice is named once, because
    `functional_call` would leave its second name's tensors behind.
    """
    made: dict[int, Tensor] = {}
    hollow = {}
    for path, module in model.named_modules():
        for named in (module.named_parameters, module.named_buffers):
            for name, tensor in named(path, recurse=False, remove_duplicate=False):
                if id(tensor) not in made:
                    made[id(tensor)] = tensor.to("meta")
                hollow[name] = made[id(tensor)]
    return hollow


class _Uses(TorchFunctionMode):
    """Counts what linear and convolution functions do with each weight tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[int] = Counter()

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if func in FUNCTIONS:
            inputs, weight = args[:2] if len(args) > 1 else (args[0], kwargs["weight"])
            places = FUNCTIONS[func](inputs, weight, output)
            self.counted[id(weight)] += places * weight.numel()
        return output


def _call(module: nn.Module, args: tuple, kwargs: dict, output: Any) -> Iterator[Cost]:
    """(weight, multiply-accumulates) of one call of a layer."""
    inputs = args[0] if args else next(iter(kwargs.values()))
    if isinstance(module, nn.MultiheadAttention):
        named = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
        rows = [_rows(named[name]) for name in ("query", "key", "value")]
        if module.in_proj_weight is not None:
            yield module.in_proj_weight, sum(rows) * module.embed_dim**2
        else:
            for name, count in zip(ATTENTION[1:], rows, strict=True):
                weight = getattr(module, name)
                yield weight, count * weight.numel()
        yield module.out_proj.weight, rows[0] * module.embed_dim**2
    elif isinstance(module, (*CONVOLUTIONS, *TRANSPOSED)):
        wide = output if isinstance(module, CONVOLUTIONS) else inputs
        places = wide.numel() // len(module.weight)
        yield module.weight, places * module.weight.numel()
    else:
        yield module.weight, _rows(inputs) * module.weight.numel()


def _rows(tensor: Tensor) -> int:
    """Vectors in a tensor whose last axis is the features."""
    return tensor.numel() // tensor.shape[-1]


FUNCTIONS = {  # how often each entry of the weight is used
    functional.linear: lambda inputs, weight, output: _rows(inputs),
    **dict.fromkeys(
        (functional.conv1d, functional.conv2d, functional.conv3d),
        lambda inputs, weight, output: output.numel() // len(weight),
    ),
    **dict.fromkeys(
        (
            functional.conv_transpose1d,
            functional.conv_transpose2d,
            functional.conv_transpose3d,
        ),
        lambda inputs, weight, output: inputs.numel() // len(weight),
    ),
}
