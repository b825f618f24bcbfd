"""Measuring a network: mean loss and accuracy on a split."""

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.loss import Loss
from engine.monitor import Monitor
from engine.sharing.processes import ALONE, Ranks


@dataclass(frozen=True)
class Measure:
    """Mean loss per image and accuracy in percent."""

    loss: float
    accuracy: float

    @classmethod
    def of(cls, images: Tensor) -> "Measure":
        """Over images that were judged (images, 2); NaN without any."""
        loss, share = images.mean(0).tolist()
        return cls(loss, 100 * share)


def fingerprint(model: nn.Module, *settings: object) -> str:
    """SHA-256 of all weights and of what else a measurement depends on."""
    sha = hashlib.sha256(repr(settings).encode())
    for name, tensor in model.state_dict().items():
        sha.update(name.encode())
        values = tensor.detach().to("cpu").reshape(-1).contiguous()
        sha.update(values.view(torch.uint8).numpy())
    return sha.hexdigest()


def evaluate(
    model: nn.Module,
    split: Split,
    loss: Loss,
    batch: int,
    monitor: Monitor,
    label: str,
    ranks: Ranks = ALONE,
) -> Measure:
    """Loss and accuracy in eval mode on all images of `split`; NaN if it is empty."""
    if not len(split):
        return Measure(math.nan, math.nan)
    return Measure.of(by_image(model, split, loss, batch, monitor, label, ranks))


def by_image(
    model: nn.Module,
    split: Split,
    loss: Loss,
    batch: int,
    monitor: Monitor,
    label: str,
    ranks: Ranks = ALONE,
) -> Tensor:
    """Every image of `split` judged in eval mode (images, 2), on the CPU.

    Several processes take the batches in turns and all get everything.
    """
    model.eval()
    found = torch.zeros(len(split), 2, dtype=torch.float64)
    mine = ranks.share(torch.arange(len(split)).split(batch))
    with monitor.apart(), torch.no_grad():
        for indices in monitor.track(mine, label):
            images, labels = split.batch(indices)
            found[indices] = judged(model(images), labels, loss).cpu()
    return ranks.sum(found)


def judged(outputs: Tensor, labels: Tensor, loss: Loss) -> Tensor:
    """Loss of each image, and 1 where the guess is right (images, 2), float64.

    Args:
        outputs: Of the network (images, classes).
        labels: (images,).
        loss: Suits what the network returns.
    """
    outputs = outputs.float()
    hits = (outputs.argmax(1) == labels).double()
    return torch.stack([loss.per_sample(outputs, labels).double(), hits], 1)
