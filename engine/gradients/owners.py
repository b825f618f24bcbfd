"""The module of each prunable weight, for methods that look at whole layers."""

import torch

from engine.errors import InputError
from engine.gradients.backward import frozen
from engine.gradients.collector import PROBE, agreeing
from engine.gradients.ways import Owners, Ways, batchable
from engine.problem import Problem


def owners_of(problem: Problem, method: str) -> Owners:
    """The linear and convolution modules of the prunable weights.

    Args:
        problem: The network.
        method: Its name, for errors.

    Raises:
        InputError: A weight belongs to another kind of layer, or is used in other ways
            than by its module on each image.
    """
    model = problem.model
    weights = {name: model.get_parameter(name) for name in problem.names}
    with frozen(model):
        images, _ = problem.fetch()(torch.arange(min(PROBE, len(problem.train))))
        owners = agreeing(model, Ways(batchable(model, weights)), images).owners
    others = sorted(set(weights) - set(owners.values()))
    if others:
        raise InputError(
            f"{method} does not know the layers of {', '.join(others)}.",
            "Exclude them in allocation.exclude, or choose WoodFisher.",
        )
    return owners
