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
    mean, share = each(model, split, loss, batch, monitor, label, ranks).mean(0)
    return Measure(float(mean), 100.0 * float(share))


def each(
    model: nn.Module,
    split: Split,
    loss: Loss,
    batch: int,
    monitor: Monitor,
    label: str,
    ranks: Ranks = ALONE,
) -> Tensor:
    """Loss of every image, and 1 where the guess is right (images, 2), float64.

    Several processes take the batches in turns and all get everything.
    """
    model.eval()
    found = torch.zeros(len(split), 2, dtype=torch.float64)
    mine = ranks.share(torch.arange(len(split)).split(batch))
    with monitor.apart(), torch.no_grad():
        for indices in monitor.track(mine, label):
            images, labels = split.batch(indices)
            outputs = model(images).float()
            hits = (outputs.argmax(1) == labels).double()
            losses = loss.per_sample(outputs, labels).double()
            found[indices] = torch.stack([losses, hits], 1).cpu()
    return ranks.sum(found)
