"""Batch-norm re-estimation: running statistics measured anew, without labels."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from engine.data.base import Split
from engine.monitor import Monitor
from engine.repair.undo import undone_on_failure


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """The layers that keep running statistics."""
    return [
        module
        for module in model.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
    ]


def reestimate_batch_norm(
    model: nn.Module,
    split: Split,
    samples: int,
    batch: int,
    seed: int,
    monitor: Monitor,
) -> None:
    """Measure batch-norm statistics anew, as the plain average over equal batches.

    Only normalisation layers are in training mode, so dropout stays off. A stop in the
    middle leaves the old statistics.

    Args:
        model: Changed in place.
        split: Training images; labels are not used.
        samples: Images to look at (at most all).
        batch: Images per batch; a last smaller batch is left out.
        seed: Draws the images.
        monitor: Progress and stop.
    """
    norms = batch_norms(model)
    if not norms:
        monitor.notice("The network has no batch norm to re-estimate.", level="info")
        return
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(split), generator=generator)[:samples]
    groups = [g for g in chosen.split(batch) if len(g) == min(batch, len(chosen))]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    try:
        with undone_on_failure(model), torch.no_grad():
            for norm in norms:
                norm.reset_running_stats()
                norm.momentum = None  # a plain average
                norm.train()
            for indices in monitor.track(groups, "Batch-norm statistics"):
                model(split.batch(indices)[0])
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.eval()
