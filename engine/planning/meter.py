"""What a pass through a network keeps in memory at once, counted without computing."""

import copy
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

TRIAL = 2  # images of a real pass, where meta tensors do not work

Work = Callable[[nn.Module, Tensor], object]


def peak(model: nn.Module, shape: tuple[int, ...], images: int, work: Work) -> int:
    """Most bytes that `work` allocates at once beyond the weights.

    It runs on meta tensors: shapes without arithmetic. A network whose code needs real
    ones takes two real images, scaled up.

    Args:
        model: As it is when this returns.
        shape: Of one input.
        images: At once.
        work: Called with a network and images (n, *shape).
    """
    try:
        return _live(hollow(model), torch.empty(images, *shape, device="meta"), work)
    except Exception:  # code that mixes in tensors of its own, or looks at values
        device = next(model.parameters()).device
        few = torch.zeros(min(images, TRIAL), *shape, device=device)
        return _live(copy.deepcopy(model), few, work) * images // len(few)


def hollow(model: nn.Module) -> nn.Module:
    """A copy on meta tensors, which takes no memory to speak of."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        empty = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(empty, parameter.requires_grad)
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(model, memo)


def _live(model: nn.Module, images: Tensor, work: Work) -> int:
    with _LiveBytes() as counted:
        counted.add(images)
        work(model, images)
    return counted.peak


class _LiveBytes(TorchDispatchMode):
    """Bytes of all storages that operations made and nobody has let go of yet."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = self._now = 0
        self._known: dict[int, weakref.ref] = {}

    def add(self, tensor: Tensor, new: bool = True) -> None:
        """Count a storage once, until it goes; `new` ones only add to the sum."""
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes() if new else 0
        if key in self._known:
            return

        def gone(_: object) -> None:
            del self._known[key]
            self._now -= size

        self._known[key] = weakref.ref(storage, gone)
        self._now += size
        self.peak = max(self.peak, self._now)

    def __torch_dispatch__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        for given in tree_leaves((args, kwargs)):
            if isinstance(given, Tensor):
                self.add(given, new=False)
        made = func(*args, **kwargs)
        for result in tree_leaves(made):
            if isinstance(result, Tensor):
                self.add(result)
        return made
