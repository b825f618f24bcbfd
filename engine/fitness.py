"""Does the data fit the network? The dense accuracy and batch norm tell."""

import copy

import torch
from torch import nn

from engine.data.base import Data
from engine.evaluate import Measure, evaluate
from engine.loss import Loss
from engine.monitor import Monitor
from engine.repair import batch_norms, reestimate_batch_norm
from engine.settings import Machine
from engine.words.units import many

PROBE = 1024  # images
GAIN = 5.0  # points that new batch-norm statistics may win before it is suspicious
CHANCE = 1.5  # times chance level below which a network counts as untrained


def warn_if_unfit(
    model: nn.Module,
    data: Data,
    loss: Loss,
    dense: Measure,
    settings: Machine,
    monitor: Monitor,
) -> None:
    """Notice a dense accuracy near chance, or input statistics batch norm disowns.

    A network whose accuracy rises once its batch-norm statistics are measured anew on
    this data was trained on inputs normalised differently.
    """
    classes = len(data.spec.classes)
    if dense.accuracy < CHANCE * 100 / classes:
        monitor.notice(
            f"The dense network has only {dense.accuracy:.1f} % accuracy, near chance "
            f"for {many(classes, 'class', 'classes')}.",
            "Check the checkpoint, data.mean, data.std and the order of the classes.",
        )
        return
    if not batch_norms(model):
        return
    split, _ = data.probe
    probe = split.subset(torch.arange(min(PROBE, len(split))))
    stored = evaluate(model, probe, loss, settings.batch, monitor, "Checking the fit")
    other = copy.deepcopy(model)
    reestimate_batch_norm(
        other, data.train, PROBE, min(settings.batch, 128), settings.seed, monitor
    )
    fresh = evaluate(other, probe, loss, settings.batch, monitor, "Checking the fit")
    if fresh.accuracy > stored.accuracy + GAIN:
        monitor.notice(
            "The normalisation does not seem to fit the network: "
            f"{stored.accuracy:.1f} % as it is, {fresh.accuracy:.1f} % with batch-norm "
            "statistics of this data.",
            "Set data.mean and data.std to what the network was trained with.",
        )
