"""Short measurements from which a plan tells the time: products, passes, the disk."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from engine import machine
from engine.errors import InputError

SIDE = 768  # of the matrices that are multiplied
WRITTEN = 32 * 2**20  # bytes of the trial file


def product_rate(device: torch.device) -> float:
    """Multiply-accumulates per second of float64 matrix products."""
    left = torch.rand(SIDE, SIDE, dtype=torch.float64, device=device)
    return SIDE**3 / best_of(lambda: left @ left, device, 3)


def forward_seconds(model: nn.Module, images: Tensor) -> float:
    """Seconds per image of a measuring pass."""

    def work() -> None:
        with torch.inference_mode():
            model(images)

    return best_of(work, images.device, 2) / len(images)


def backward_seconds(model: nn.Module, images: Tensor) -> float:
    """Seconds per image of a forward and backward pass."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]

    def work() -> None:
        torch.autograd.grad(model(images).sum(), weights, allow_unused=True)

    return best_of(work, images.device, 1) / len(images)


def write_rate(folder: Path) -> float:
    """Bytes per second that reach the disk of a folder.

    Raises:
        InputError: Nothing can be written there.
    """
    block = bytes(WRITTEN)
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            began = time.perf_counter()
            file.write(block)
            os.fsync(file.fileno())
            return WRITTEN / (time.perf_counter() - began)
    except OSError as error:
        raise InputError(
            f"Cannot write to {folder}: {error.strerror}.", "Free disk space there."
        ) from error


def best_of(work: Callable[[], object], device: torch.device, times: int) -> float:
    """The shortest of some runs after a first one, in seconds."""
    work()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        machine.wait(device)
        found.append(time.perf_counter() - began)
    return min(found)
