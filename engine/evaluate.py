"""Measuring a network: mean loss and accuracy on a split."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from engine.data.base import Split
from engine.loss import Loss
from engine.monitor import Monitor


@dataclass(frozen=True)
class Measure:
    """Mean loss per image and accuracy in percent."""

    loss: float
    accuracy: float


def evaluate(
    model: nn.Module, split: Split, loss: Loss, batch: int, monitor: Monitor, label: str
) -> Measure:
    """Loss and accuracy in eval mode on all images of `split`; NaN if it is empty."""
    if not len(split):
        return Measure(math.nan, math.nan)
    model.eval()
    total = torch.zeros((), dtype=torch.float64)
    right = 0
    with torch.no_grad():
        for images, labels in monitor.track(split.batches(batch), label):
            outputs = model(images).float()
            total += loss.per_sample(outputs, labels).double().sum().cpu()
            right += int((outputs.argmax(1) == labels).sum())
    count = len(split)
    return Measure(float(total) / count, 100.0 * right / count)
