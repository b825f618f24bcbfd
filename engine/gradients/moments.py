"""Means of gradients and of their squares, streamed so that memory is O(d)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.gradients.collector import Fetch
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Fisher, Problem, draw

AVERAGED = 64  # images averaged by one ordinary backward pass
BUDGET = 256 * 2**20  # bytes of single-image gradients held at once
FEWEST, MOST = 8, 256  # of them, whatever the network's size


def choose(problem: Problem, images: int, seed: int, monitor: Monitor) -> Tensor:
    """Numbers of `images` training images, all of them (and a word) if too few.

    Raises:
        RunError: There are no training images.
    """
    there = len(problem.train)
    if images > there > 0:
        monitor.notice(
            f"All {there} training images are used; {images} were wanted.",
            level="info",
        )
    return draw(there, min(images, max(there, 1)), 1, seed, monitor).reshape(-1)


def mean_gradient(
    problem: Problem, images: int, seed: int, masks: Masks, monitor: Monitor
) -> dict[str, Tensor]:
    """Gradient (numel,) float64 of the mean loss over images, removed weights zero.

    Raises:
        RunError: There are no training images.
    """
    order = choose(problem, images, seed, monitor)
    groups = [part[None] for part in order.split(AVERAGED)]
    total = _zeros(problem)
    for group, rows in _rows(problem, problem.fetch(), groups, monitor):
        for name, row in rows.items():
            total[name] += row[0].double() * (group.numel() / len(order))
    return _masked(total, masks)


def mean_squares(
    problem: Problem,
    images: int,
    seed: int,
    masks: Masks,
    monitor: Monitor,
    fisher: Fisher = "empirical",
) -> dict[str, Tensor]:
    """Diagonal (numel,) float64 of the Fisher, removed weights zero.

    Squares of the gradients of single images: averaging first would estimate
    something else.

    Raises:
        RunError: There are no training images.
    """
    order, total = choose(problem, images, seed, monitor), _zeros(problem)
    fetch = problem.fetch(fisher, seed)
    for rows in single_gradients(problem, order, fetch, masks, monitor):
        for name, each in rows.items():
            total[name] += each.double().square_().sum(0)
    return {name: squares / len(order) for name, squares in total.items()}


def single_gradients(
    problem: Problem, order: Tensor, fetch: Fetch, masks: Masks, monitor: Monitor
) -> Iterator[dict[str, Tensor]]:
    """A few rows (k, numel) of single-image gradients at a time, removed weights zero.

    Args:
        problem: The network.
        order: Image numbers (images,).
        fetch: Gives images and their losses.
        masks: True = kept; a missing name keeps all.
        monitor: Hears of progress, and of layers that take longer.
    """
    each = sum(weight.nbytes for weight in problem.weights().values())
    groups = order[:, None].split(min(max(BUDGET // each, FEWEST), MOST))
    for _, rows in _rows(problem, fetch, groups, monitor):
        yield _masked(rows, masks)


def _rows(
    problem: Problem, fetch: Fetch, groups: list[Tensor], monitor: Monitor
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Rows of each piece of the images."""
    first, batch = groups[0].reshape(-1), groups[0].shape[1]
    collector = problem.collector(fetch, first, batch, monitor)
    for group in monitor.track(groups, "Gradients"):
        yield group, collector.rows(group, Monitor())


def _zeros(problem: Problem) -> dict[str, Tensor]:
    return {
        name: torch.zeros(weight.numel(), dtype=torch.float64, device=weight.device)
        for name, weight in problem.weights().items()
    }


def _masked(values: dict[str, Tensor], masks: Masks) -> dict[str, Tensor]:
    """The same tensors, (..., numel), zero in place where a weight is removed."""
    for name in values.keys() & masks.keys():
        values[name].mul_(masks[name].reshape(-1))
    return values
