"""Explained: any failure of a run as something a person can act on."""

import torch

from engine.errors import EngineError, RunError


def explained(error: Exception) -> EngineError:
    """What happened and what to do, whatever was raised."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return RunError(
            "The machine ran out of memory.",
            "Lower estimator.samples, estimator.block_size or the batch sizes.",
        )
    return RunError(
        f"Something went wrong inside Secateur: {type(error).__name__}: {error}",
        "Please report this with the run folder and the recipe.",
    )
