"""Shares: images by process for the gradients, layers by process for the curvature."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.gradients import CHUNK
from engine.monitor import Monitor
from engine.processes import Ranks

Tensors = dict[str, Tensor]
Owners = dict[str, int]  # layer -> the process that holds its curvature


def owners(weights: Tensors, ranks: Ranks) -> Owners:
    """Deal the layers out, the largest first, each to the process with least so far."""
    sizes = [weight.numel() for weight in weights.values()]
    return dict(zip(weights, dealt(sizes, ranks.size), strict=True))


def dealt(sizes: Sequence[int], processes: int) -> list[int]:
    """The owner of each layer of so many weights."""
    loads, found = [0] * processes, [0] * len(sizes)
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        found[index] = loads.index(min(loads))
        loads[found[index]] += sizes[index]
    return found


def owned_rows(
    collect: Callable[[Tensor], Tensors],
    groups: Tensor,
    owned: Owners,
    ranks: Ranks,
    monitor: Monitor,
) -> Tensors:
    """Gradients taken by all processes, each layer's brought to its owner.

    A process takes every `size`-th chunk of rows: whole micro-batches, so that each row
    has the bits that a single process would give it.

    Args:
        collect: Gives the rows of the groups it is handed.
        groups: Image numbers (N, b) of all rows.
        owned: Of every layer.
        ranks: The processes.
        monitor: Progress and stop.

    Returns:
        (N, numel) for each layer that this process owns.
    """
    if ranks.size == 1:
        return collect(groups)
    order = torch.arange(len(groups))
    parts = [
        torch.cat([order[:0], *order.split(CHUNK)[rank :: ranks.size]])
        for rank in range(ranks.size)
    ]
    with monitor.apart():
        mine = collect(groups[parts[ranks.rank]])
    rows = {}
    for name, owner in owned.items():
        pieces = ranks.gather(mine.pop(name), [len(part) for part in parts], owner)
        if owner == ranks.rank:
            rows[name] = torch.cat(pieces)[torch.cat(parts).argsort()]
    return rows
