"""Timing: turns taken in rounds, so that a noisy machine is as unfair to everyone."""

import time
from collections.abc import Callable
from statistics import median

import torch

Task = Callable[[], object]
Times = dict[str, list[float]]


def rounds(tasks: dict[str, Task], count: int, least: float) -> Times:
    """Seconds per call of each task in each round, after a first call to warm up.

    Args:
        tasks: Each gets one turn in every round.
        count: Rounds.
        least: Seconds that a turn lasts at least; quick tasks are repeated.
    """
    for task in tasks.values():
        task()
    times: Times = {name: [] for name in tasks}
    for _ in range(count):
        for name, task in tasks.items():
            times[name].append(_turn(task, least))
    return times


def ratio(slow: list[float], fast: list[float]) -> float:
    """How many times longer `slow` took: the median over the rounds."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


def product(size: int) -> tuple[Task, float]:
    """A float64 product of two square matrices, and its operations."""
    left, right = torch.randn(2, size, size, dtype=torch.float64)
    out = torch.empty_like(left)
    return lambda: torch.mm(left, right, out=out), 2.0 * size**3


def _turn(task: Task, least: float) -> float:
    began, calls = time.perf_counter(), 0
    while True:
        task()
        calls += 1
        seconds = time.perf_counter() - began
        if seconds >= least:
            return seconds / calls
