"""Answers: what a network says of every image, whole or with other masks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.loss import Loss
from engine.masks import Masks
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


def class_accuracy(
    model: nn.Module,
    masks: Masks,
    split: Split,
    loss: Loss,
    batch: int,
    monitor: Monitor,
    classes: int,
) -> Tensor:
    """Accuracy of each class (classes,) in percent with these masks, float64.

    The weights are as before afterwards, also when it is stopped. NaN for a class
    without images.

    Args:
        model: On the compute device.
        masks: True = kept; a missing name keeps all.
        split: Images to measure on.
        loss: Suits what the model returns.
        batch: Images at once.
        monitor: Hears of progress.
        classes: How many there are.
    """
    with masked(model, masks):
        found = answers(model, split, loss, batch, monitor, "Accuracy by class")
    right = split.labels[found.says == split.labels].bincount(minlength=classes)
    return 100 * right.double() / split.labels.bincount(minlength=classes)


@contextmanager
def masked(model: nn.Module, masks: Masks) -> Iterator[None]:
    """Inside, the weights that masks (True = kept) leave out are zero."""
    weights = {name: model.get_parameter(name) for name in masks}
    kept = {name: weight.detach().clone() for name, weight in weights.items()}
    try:
        with torch.no_grad():
            for name, weight in weights.items():
                weight.masked_fill_(~masks[name].to(weight.device), 0.0)
        yield
    finally:
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(kept[name])
