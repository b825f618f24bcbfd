"""How much the loss minds an error in each output channel, without labels."""

from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.loss import Loss
from engine.monitor import Monitor

IMAGES = 512  # a layer's few channels need no more
BATCH = 16  # images per backward pass, which holds every activation
FLOOR = 0.1  # share of the identity that keeps every channel in play


def sensitivities(
    model: nn.Module,
    owners: dict[nn.Module, str],
    split: Split,
    chosen: Tensor,
    loss: Loss,
    generator: torch.Generator,
    monitor: Monitor,
) -> dict[str, Tensor]:
    """Covariance of the loss's gradient at each layer's outputs, plus a floor.

    The labels are drawn from the network's own predictions, so this is the output side
    of the true Fisher (K-FAC's second factor) and needs no label.

    Args:
        model: In eval mode; its parameters stop being differentiable.
        owners: Linear and convolution layers and what to call them.
        split: Images.
        chosen: Which to look at; the first `IMAGES` are used.
        loss: Suits what the model returns.
        generator: Draws the labels.
        monitor: Progress and stop.

    Returns:
        (channels, channels) float64 each, mean diagonal 1 before the floor.
    """
    found = {
        name: torch.zeros(2 * (len(module.weight),), dtype=torch.float64)
        for module, name in owners.items()
    }

    def add(name: str, channel: int, gradient: Tensor) -> None:
        rows = gradient.movedim(channel, -1).reshape(-1, gradient.shape[channel])
        found[name] += (rows.T @ rows).double().cpu()

    def watch(module: nn.Module, args: tuple, output: Tensor) -> None:
        channel = -1 if isinstance(module, nn.Linear) else 1
        output.register_hook(partial(add, owners[module], channel))

    model.requires_grad_(False)
    with ExitStack() as hooks, torch.enable_grad():
        for module in owners:
            hooks.callback(module.register_forward_hook(watch).remove)
        groups = chosen[:IMAGES].split(BATCH)
        for indices in monitor.track(groups, "Sensitivity of outputs"):
            images = split.batch(indices)[0].requires_grad_(True)
            outputs = model(images)
            labels = _drawn(outputs.detach(), loss, generator)
            torch.autograd.grad(loss.per_sample(outputs, labels).sum(), images)
    return {name: _scaled(matrix) for name, matrix in found.items()}


def _drawn(outputs: Tensor, loss: Loss, generator: torch.Generator) -> Tensor:
    """Labels (n,) with the probabilities that the network gives them."""
    given = loss.kind == "probabilities"
    chances = outputs.clamp_min(0) if given else outputs.softmax(1)
    labels = torch.multinomial(chances.cpu(), 1, generator=generator).squeeze(1)
    return labels.to(outputs.device)


def _scaled(matrix: Tensor) -> Tensor:
    mean = float(matrix.diagonal().mean())
    floor = FLOOR * torch.eye(len(matrix), dtype=matrix.dtype)
    return matrix / mean + floor if mean > 0 else floor
