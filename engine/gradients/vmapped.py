"""Weight gradients of single images for any module: vmap over its own backward."""

from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_flatten, tree_unflatten

Callers = dict[nn.Module, dict[str, str]]  # module -> {name inside it: full name}


def called(model: nn.Module, *inputs: Tensor) -> set[nn.Module]:
    """The modules that a pass calls with a tensor."""
    found: set[nn.Module] = set()

    def note(module: nn.Module, args: tuple, kwargs: dict) -> None:
        if any(isinstance(leaf, Tensor) for leaf in tree_flatten((args, kwargs))[0]):
            found.add(module)

    with ExitStack() as hooks, torch.no_grad():
        for module in model.modules():
            handle = module.register_forward_pre_hook(note, with_kwargs=True)
            hooks.callback(handle.remove)
        model(*inputs)
    return found


def callers(
    model: nn.Module,
    weights: dict[str, Tensor],
    reached: set[nn.Module],
    known: set[nn.Module],
) -> Callers:
    """The nearest called module around every use of these weights.

    Attention, for one, reads the weight of its output projection without calling it.

    Args:
        model: The network.
        weights: By full name.
        reached: Modules that a pass calls.
        known: Modules whose own weight is served otherwise.
    """
    names = {id(weight): name for name, weight in weights.items()}
    found: Callers = {}
    for path, module in model.named_modules():
        if module in known:
            continue
        for own, parameter in module.named_parameters(recurse=False):
            if id(parameter) in names:
                around, inside = path, own
                while around and model.get_submodule(around) not in reached:
                    around, _, last = around.rpartition(".")
                    inside = f"{last}.{inside}"
                caller = model.get_submodule(around)
                found.setdefault(caller, {})[inside] = names[id(parameter)]
    return found


def repeated(
    module: nn.Module,
    inner: dict[str, str],
    args: tuple,
    kwargs: dict[str, Any],
    gradient: Tensor,
    images: int,
) -> dict[str, Tensor]:
    """(images, numel) by full name, from a module's inputs and its output's gradient.

    The module runs once more for each image, all of them vectorised. Tensors with as
    many images (or equal runs of rows per image) as the first one are dealt out.

    Args:
        module: In eval mode.
        inner: Its parameters by their name inside it, and their full names.
        args: Of the call.
        kwargs: Of the call.
        gradient: Of the call's first output tensor.
        images: In the batch.
    """
    leaves, tree = tree_flatten((args, kwargs))
    # Attention and recurrent layers may have the images second.
    axis = 0 if getattr(module, "batch_first", True) else 1
    first = next(leaf for leaf in leaves if isinstance(leaf, Tensor))
    dealt = [
        place
        for place, leaf in enumerate(leaves)
        if isinstance(leaf, Tensor)
        and leaf.dim() > axis
        and leaf.shape[axis] == first.shape[axis]
    ]
    axes = (axis,) * (len(dealt) + 1)
    parts = tuple(
        each.detach().unflatten(axis, (images, -1))
        for each in (*(leaves[place] for place in dealt), gradient)
    )

    def value(chosen: dict[str, Tensor], pieces: tuple[Tensor, ...]) -> Tensor:
        own = list(leaves)
        for place, piece in zip(dealt, pieces, strict=False):
            own[place] = piece
        given, named = tree_unflatten(own, tree)
        output = functional_call(module, chosen, given, named)
        return (first_tensor(output) * pieces[-1]).sum()

    chosen = {name: module.get_parameter(name).detach() for name in inner}
    dealer = vmap(grad(value), in_dims=(None, axes), randomness="different")
    with sdpa_kernel(SDPBackend.MATH):  # the fused attention cannot be vectorised
        rows = dealer(chosen, parts)
    found: dict[str, Tensor] = {}
    for name, each in rows.items():
        full, flat = inner[name], each.flatten(1)
        found[full] = found[full] + flat if full in found else flat
    return found


def first_tensor(output: Any) -> Tensor:
    """The output itself, or the first tensor of a tuple.

    Raises:
        TypeError: There is none.
    """
    for leaf in tree_flatten(output)[0]:
        if isinstance(leaf, Tensor):
            return leaf
    raise TypeError(f"{type(output).__name__} has no tensor")
