"""What a layer sees: its inputs as rows, and their second moments."""

from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from engine.errors import RunError
from engine.gradients.backward import frozen
from engine.gradients.collector import Fetch
from engine.gradients.outer import fits, patches
from engine.gradients.owners import owners_of
from engine.monitor import Monitor
from engine.problem import Problem

PIECE = 32  # images of one pass: their patches are copied to float64


def seen(module: nn.Module, inputs: Tensor, outputs: Tensor) -> Tensor:
    """Inputs (groups, images * positions, in) in float64; patches of convolutions.

    The outputs, or their gradients, only tell how many positions there are.
    """
    if type(module) is nn.Linear:
        return inputs.reshape(1, -1, module.in_features).double()
    found = patches(module, inputs).double()
    positions = outputs[0, 0].numel()
    return by_group(found.reshape(len(inputs), module.groups, -1, positions))


def by_group(values: Tensor) -> Tensor:
    """(images, groups, in, positions) to (groups, images * positions, in)."""
    groups, features = values.shape[1:3]
    return values.permute(1, 0, 3, 2).reshape(groups, -1, features)


def input_moments(
    problem: Problem, order: Tensor, fetch: Fetch, method: str, monitor: Monitor
) -> dict[str, Tensor]:
    """E sum_t x_t x_t^T over images, summed over positions t, in eval mode.

    Args:
        problem: The network.
        order: Image numbers (images,).
        fetch: Gives images; labels are not used.
        method: Its name, for errors.
        monitor: Hears of progress.

    Returns:
        (groups, in, in) float64 per layer.

    Raises:
        InputError: A layer is neither linear nor a convolution.
        RunError: A layer saw nothing, or something not finite.
    """
    owners = owners_of(problem, method)
    sums: dict[str, Tensor] = {}

    def watch(
        name: str, module: nn.Module, args: tuple, kwargs: dict, output: Tensor
    ) -> None:
        inputs = (args or tuple(kwargs.values()))[0]
        if fits(module, inputs, 1):
            rows = seen(module, inputs, output)
            sums[name] = sums.get(name, 0.0) + rows.mT @ rows

    with ExitStack() as hooks, frozen(problem.model), torch.no_grad():
        for module, name in owners.items():
            hook = partial(watch, name)
            handle = module.register_forward_hook(hook, with_kwargs=True)
            hooks.callback(handle.remove)
        for part in monitor.track(order.split(PIECE), "Layer inputs"):
            problem.model(fetch(part)[0])
    for name in problem.names:
        if name not in sums or not bool(sums[name].isfinite().all()):
            raise RunError(
                f"The inputs of {name} are missing or not finite.",
                "Exclude this layer, or check the checkpoint and the normalisation.",
            )
    return {name: total / len(order) for name, total in sums.items()}
