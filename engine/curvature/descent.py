"""How far to follow a step: as far as the measured loss falls along it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from engine.gradients.backward import frozen
from engine.monitor import Monitor
from engine.problem import Problem

Tensors = dict[str, Tensor]
HALVINGS = 16  # of the step, after which it counts as leading uphill
BATCH = 256  # images of one pass


def best_share(
    problem: Problem, step: Tensors, most: float, images: Tensor, monitor: Monitor
) -> tuple[float, float, float]:
    """Halve a step as long as that lowers the loss; the weights stay as they are.

    Args:
        problem: The network, in every process.
        step: To be added to the weights, (numel,) of every layer.
        most: The largest share of the step that is tried.
        images: Numbers of the training images to measure with.
        monitor: Progress and stop.

    Returns:
        The share, 0 where no share lowers the loss, and the losses without the step
        and with the share.
    """

    def loss(share: float) -> float:
        with _moved(problem.weights(), step, share):
            return mean_loss(problem, images, monitor)

    start = mean_loss(problem, images, monitor)
    best, least, share = 0.0, start, most
    for _ in range(HALVINGS):
        now = loss(share)
        if now < least:  # NaN is not
            best, least = share, now
        elif best:
            break
        share /= 2
    return best, start, least


def mean_loss(problem: Problem, images: Tensor, monitor: Monitor) -> float:
    """Of these training images in eval mode; the processes share them."""
    total, fetch = torch.zeros(1, dtype=torch.float64), problem.fetch()
    mine = problem.ranks.share(images.split(max(1, BATCH >> problem.thrift)))
    with monitor.apart(), frozen(problem.model):
        for part in monitor.track(mine, "Newton step"):
            inputs, losses = fetch(part)
            outputs = problem.model(inputs).float()
            total += losses(outputs).double().sum().cpu()
    return float(problem.ranks.sum(total)) / len(images)


@contextmanager
def _moved(weights: Tensors, step: Tensors, share: float) -> Iterator[None]:
    """The weights with a share of the step, and as they were afterwards."""
    before = {name: weight.clone() for name, weight in weights.items()}
    try:
        for name, weight in weights.items():
            weight.add_(step[name].reshape(weight.shape).to(weight), alpha=share)
        yield
    finally:
        for name, weight in weights.items():
            weight.copy_(before[name])
