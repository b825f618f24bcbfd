"""Joining: how the processes that torchrun started find each other, and part."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

from engine.errors import InputError, RunError
from engine.sharing.processes import Ranks
from engine.sharing.team import TIMEOUT, Team

GOODBYE = 5.0  # seconds that the processes wait for each other at the end


@contextmanager
def join() -> Iterator[Ranks]:
    """The processes of this run, as torchrun's environment tells; mostly this one.

    Raises:
        InputError: There are more processes on this machine than GPUs.
        RunError: The processes do not find each other.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield Ranks()
        return
    try:
        store, rank, size = next(iter(dist.rendezvous("env://", timeout=TIMEOUT)))
    except (RuntimeError, ValueError) as error:
        raise _unmet(error) from error
    turn = int(os.environ.get("LOCAL_RANK", 0))
    try:
        try:
            _gather_all(store, rank, size, turn)
        except (RuntimeError, ValueError) as error:
            raise _unmet(error) from error
        yield Team(store, rank, size, turn)
    finally:
        _leave(store, size)


def leads() -> bool:
    """Whether torchrun's environment makes this the process that speaks."""
    return int(os.environ.get("RANK", 0)) == 0


def _unmet(error: Exception) -> RunError:
    return RunError(
        f"The processes of this run did not find each other: {error}",
        "Start them with torchrun and check its addresses.",
    )


def _gather_all(store: dist.Store, rank: int, size: int, turn: int) -> None:
    """Gloo carries what is on the CPU, also the buttons of a run on GPUs."""
    backend = "gloo"
    if torch.cuda.is_available():
        gpus, here = torch.cuda.device_count(), int(os.environ["LOCAL_WORLD_SIZE"])
        if here > gpus:
            raise InputError(
                f"There are {gpus} GPUs for {here} processes on this machine.",
                "Start one process per GPU, or hide the GPUs: CUDA_VISIBLE_DEVICES=",
            )
        torch.cuda.set_device(turn)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(
        backend,
        timeout=TIMEOUT,
        store=dist.PrefixStore("group", store),
        rank=rank,
        world_size=size,
    )


def _leave(store: dist.Store, size: int) -> None:
    """Go together: torchrun ends all as soon as one is gone, and rank 0 may be telling.

    So signals are ignored from here on.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    until = time.monotonic() + GOODBYE
    try:
        store.add("leaving", 1)
        while (here := store.add("leaving", 0)) < size and time.monotonic() < until:
            time.sleep(0.02)
    except RuntimeError:  # whoever kept the store is gone
        here = 0
    # NCCL would wait for whoever is gone.
    if here == size and dist.is_initialized():
        dist.destroy_process_group()
