"""Shares: images by process for the gradients, layers by process for the curvature."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.gradients.collector import CHUNK
from engine.monitor import Monitor
from engine.sharing.processes import Ranks

Tensors = dict[str, Tensor]
Holders = dict[str, int]  # layer -> the process that holds its curvature


def holders(weights: Tensors, ranks: Ranks) -> Holders:
    """Deal the layers out, the largest first, each to the process with least so far."""
    sizes = [weight.numel() for weight in weights.values()]
    return dict(zip(weights, dealt(sizes, ranks.size), strict=True))


def dealt(sizes: Sequence[int], processes: int) -> list[int]:
    """The holder of each layer of so many weights."""
    loads, found = [0] * processes, [0] * len(sizes)
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        found[index] = loads.index(min(loads))
        loads[found[index]] += sizes[index]
    return found


def held_rows(
    collect: Callable[[Tensor], Tensors],
    groups: Tensor,
    held: Holders,
    ranks: Ranks,
    monitor: Monitor,
) -> Tensors:
    """Gradients taken by all processes, each layer's brought to its holder.

    A process takes every `size`-th chunk of rows: whole micro-batches, so that each row
    has the bits that a single process would give it.

    Args:
        collect: Gives the rows of the groups it is handed.
        groups: Image numbers (N, b) of all rows.
        held: Of every layer.
        ranks: The processes.
        monitor: Progress and stop.

    Returns:
        (N, numel) for each layer that this process holds.
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
    for name, holder in held.items():
        pieces = ranks.gather(mine.pop(name), [len(part) for part in parts], holder)
        if holder == ranks.rank:
            rows[name] = torch.cat(pieces)[torch.cat(parts).argsort()]
    return rows
