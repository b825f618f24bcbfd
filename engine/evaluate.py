"""Measuring a network: mean loss and accuracy on a split."""

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import nn

from engine.data.base import Split
from engine.loss import Loss
from engine.monitor import Monitor
from engine.processes import ALONE, Ranks


@dataclass(frozen=True)
class Measure:
    """Mean loss per image and accuracy in percent."""

    loss: float
    accuracy: float


Known = dict[str, Measure]  # of dense networks, by `fingerprint`


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
    """Loss and accuracy in eval mode on all images of `split`; NaN if it is empty.

    Several processes take the batches in turns and all get the sums.
    """
    if not len(split):
        return Measure(math.nan, math.nan)
    model.eval()
    sums = torch.zeros(2, dtype=torch.float64)  # losses, hits
    mine = ranks.share(torch.arange(len(split)).split(batch))
    with monitor.apart(), torch.no_grad():
        for indices in monitor.track(mine, label):
            images, labels = split.batch(indices)
            outputs = model(images).float()
            hits = (outputs.argmax(1) == labels).double()
            losses = loss.per_sample(outputs, labels).double()
            sums += torch.stack([losses.sum(), hits.sum()]).cpu()
    total, right = ranks.sum(sums).tolist()
    return Measure(total / len(split), 100.0 * right / len(split))
