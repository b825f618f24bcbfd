"""Answers: what a network says of every image."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.loss import Loss
from engine.monitor import Monitor


@dataclass(frozen=True, eq=False)
class Answers:
    """Of every image of a split, on the CPU.

    Attributes:
        says: The likeliest class (images,) int64.
        sure: Its probability (images,) float32.
    """

    says: Tensor
    sure: Tensor


def answers(
    model: nn.Module,
    split: Split,
    loss: Loss,
    batch: int,
    monitor: Monitor,
    label: str,
) -> Answers:
    """What a network says in eval mode; its mode is as before afterwards."""
    says = torch.zeros(len(split), dtype=torch.int64)
    sure = torch.zeros(len(split))
    training = model.training
    model.eval()
    try:
        parts = torch.arange(len(split)).split(batch) if len(split) else ()
        with torch.no_grad():
            for indices in monitor.track(parts, label):
                images, _ = split.batch(indices)
                likely = loss.probabilities(model(images).float()).max(1)
                says[indices] = likely.indices.cpu()
                sure[indices] = likely.values.float().cpu()
    finally:
        model.train(training)
    return Answers(says, sure)
