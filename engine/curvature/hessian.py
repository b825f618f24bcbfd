"""The Hessian's trace for groups of weights, by random probes (Hutchinson)."""

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from engine.gradients.backward import frozen
from engine.gradients.collector import Fetch
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Problem
from engine.seeds import generator

PIECE = 64  # images whose graph of gradients is kept at once


def trace_draws(
    problem: Problem,
    order: Tensor,
    fetch: Fetch,
    draws: int,
    seed: int,
    masks: Masks,
    monitor: Monitor,
) -> dict[str, Tensor]:
    """Estimates v_p^T (H v)_p of trace(H_pp), p an output channel, for each probe v.

    H is the Hessian of the mean loss over the images by the live weights of all layers,
    in eval mode. Its off-diagonal parts have mean zero and only add spread.

    Args:
        problem: The network.
        order: Image numbers (images,).
        fetch: Gives images and their losses.
        draws: Rademacher probes, one double backward pass over the images each.
        seed: Decides the probes.
        masks: True = kept; removed weights belong to no group.
        monitor: Hears of progress.

    Returns:
        (draws, channels) float64 per layer.
    """
    weights = {name: problem.model.get_parameter(name) for name in problem.names}
    found = {
        name: torch.zeros(draws, len(w), dtype=torch.float64, device=w.device)
        for name, w in weights.items()
    }
    pieces = order.split(PIECE)
    # Fused attention has no second derivative.
    with frozen(problem.model), sdpa_kernel(SDPBackend.MATH):
        for weight in weights.values():
            weight.requires_grad_(True)
        for step in monitor.track(range(len(pieces) * draws), "Hessian products"):
            piece, draw = divmod(step, draws)
            if draw == 0:
                images, objective = fetch(pieces[piece])
                loss = objective(problem.model(images)).sum() / len(order)
                slopes = _slopes(loss, weights)
            probe = rademacher(weights, masks, seed, draw)
            for name, product in _products(slopes, weights, probe).items():
                shares = (product.double() * probe[name]).flatten(1).sum(1)
                found[name][draw] += shares
    return found


def rademacher(
    weights: dict[str, Tensor], masks: Masks, seed: int, draw: int
) -> dict[str, Tensor]:
    """Random signs shaped as the weights, 0 where removed, the same on any device."""
    stream = generator(seed, "probe", draw)
    signs = {}
    for name, weight in weights.items():
        bits = torch.randint(0, 2, weight.shape, generator=stream)
        signs[name] = (2 * bits - 1).to(weight) * masks[name]
    return signs


def _slopes(loss: Tensor, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Gradients that can be differentiated once more; others have no curvature."""
    if not loss.requires_grad:
        return {}
    found = torch.autograd.grad(
        loss, list(weights.values()), create_graph=True, allow_unused=True
    )
    pairs = zip(weights, found, strict=True)
    return {name: g for name, g in pairs if g is not None and g.requires_grad}


def _products(
    slopes: dict[str, Tensor], weights: dict[str, Tensor], probe: dict[str, Tensor]
) -> dict[str, Tensor]:
    """H v by layer."""
    if not slopes:
        return {}
    found = torch.autograd.grad(
        list(slopes.values()),
        list(weights.values()),
        [probe[name] for name in slopes],
        retain_graph=True,
        allow_unused=True,
    )
    return {n: p for n, p in zip(weights, found, strict=True) if p is not None}
