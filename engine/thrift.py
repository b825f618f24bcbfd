"""Going on when a GPU runs out: the same work with smaller pages, on the disk."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from engine.estimators.base import Estimator, ObsEstimator
from engine.monitor import Monitor
from engine.problem import Problem

MOST = 6  # halvings of pages before a lack of memory ends the run

Answer = TypeVar("Answer")


def thrifty(
    problem: Problem,
    method: Estimator,
    folder: Path | None,
    monitor: Monitor,
    work: Callable[[Problem], Answer],
) -> tuple[Answer, Problem]:
    """Do the work, again and thriftier as long as the GPU runs out of memory.

    Args:
        problem: What to work on.
        method: Only one that takes gradients of single layers can be helped.
        folder: Holds the gradients from the first failure on; None is the one of the
            system for what is temporary.
        monitor: Hears of each failure.
        work: Leaves everything as it was when it fails.

    Returns:
        What the work gave, and the problem as it went well.

    Raises:
        torch.OutOfMemoryError: Nothing is left to save.
    """
    layered = isinstance(method, ObsEstimator) and not method.joins_layers
    while True:
        try:
            return work(problem), problem
        except torch.OutOfMemoryError:
            if not layered or problem.ranks.size > 1 or problem.thrift == MOST:
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # now that the exception holds nothing any more
        problem = problem.thriftier(folder or Path(tempfile.gettempdir()))
        monitor.notice(
            "The GPU ran out of memory; the step is done again with gradients on the "
            f"disk and pages of 1/{2**problem.thrift} of the usual size.",
            "Lower estimator.samples or estimator.block_size, or free the GPU.",
        )
