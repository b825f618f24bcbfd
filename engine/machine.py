"""The machine a run happens on: device, threads, memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import torch

from engine.errors import InputError
from engine.settings import Machine
from engine.words.units import many


def pick_device(machine: Machine) -> torch.device:
    """The compute device.

    Raises:
        InputError: CUDA was asked for and there is none.
    """
    if machine.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "There is no CUDA device here.", "Set machine.device to auto or cpu."
        )
    if machine.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def describe(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"cpu ({many(torch.get_num_threads(), 'thread')})"


@contextmanager
def threads(machine: Machine) -> Iterator[None]:
    """Arithmetic on `machine.threads` CPU threads (0: leave as it is)."""
    before = torch.get_num_threads()
    if machine.threads:
        torch.set_num_threads(machine.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def wait(device: torch.device) -> None:
    """Until a GPU has done what it was given; it answers before that."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory_used(device: torch.device) -> int:
    """Bytes in use: on the GPU by this process's tensors, else resident in the host."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return psutil.Process().memory_info().rss


def forget_peak(device: torch.device) -> None:
    """Let `memory_peak` begin anew, where the system can: CUDA and Linux."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        with suppress(OSError):  # a container may forbid it
            Path("/proc/self/clear_refs").write_text("5")


def memory_peak(device: torch.device) -> int:
    """Most bytes in use by this process, so far or since `forget_peak`."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    if sys.platform == "linux":  # ru_maxrss would count what a parent process had
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(x for x in lines if x.startswith("VmHWM")).split()[1])
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory_free(device: torch.device) -> int:
    """Bytes that can still be taken."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
