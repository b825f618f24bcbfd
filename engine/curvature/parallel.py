"""In parallel: independent pieces of CPU work side by side, a core each."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_parallel(
    work: Callable[[Item], Answer], items: Sequence[Item], device: torch.device
) -> list[Answer]:
    """What `work` gives for each item, in order.

    Small matrices keep several cores busy better when each core has a matrix of its own
    than when all share one. Where there are fewer items than cores, and on a GPU, they
    are done one after the other.

    Args:
        work: Arithmetic on tensors; runs in other threads, without gradients.
        items: Whose results do not depend on each other.
        device: Where it computes.
    """
    cores = torch.get_num_threads()
    if device.type != "cpu" or cores == 1 or len(items) < cores:
        return [work(item) for item in items]
    try:
        with ThreadPoolExecutor(
            cores, initializer=torch.set_num_threads, initargs=(1,)
        ) as threads:
            return list(threads.map(work, items))
    finally:  # threads to come start with what was set last
        torch.set_num_threads(cores)
