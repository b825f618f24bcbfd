"""From a model source to a network that is built and loaded, and a first trial."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.models.base import ModelSource
from engine.models.matching import load_checkpoint
from engine.monitor import Monitor

SIZES = (28, 32, 64, 96, 128, 224, 299, 384)  # what networks are usually made for


def load_model(
    source: ModelSource, spec: DataSpec, trust: frozenset[str], monitor: Monitor
) -> nn.Module:
    """The network of a source, float32, on the CPU, in eval mode.

    Args:
        source: The recipe's model.
        spec: Input shape and classes of the recipe's data.
        trust: SHA-256 digests of the Python files that may run.
        monitor: Hears how the checkpoint met the network.

    Raises:
        TrustNeeded: A Python file has to run and is not trusted.
        InputError: Building or loading failed.
    """
    network = source.build(spec, trust)
    dtypes = {p.dtype for p in network.parameters() if p.is_floating_point()}
    if dtypes - {torch.float32}:
        monitor.notice("The network was converted to float32.", level="info")
    network = prepared(network, spec)
    if source.weights_file:
        path = Path(source.weights_file).expanduser()
        load_checkpoint(network, path, source.partial, monitor)
    elif not source.trained:
        monitor.notice(
            "No checkpoint is set: the network keeps the weights it was built with.",
            "Set model.checkpoint to trained weights.",
        )
    _check_weights(network)
    return network


def check_fit(network: nn.Module, spec: DataSpec) -> None:
    """Whether the network takes such images and tells as many classes apart.

    Raises:
        InputError: A pass of two black images failed, or gave something else.
    """
    _check_outputs(_outputs(network, spec), spec)


def prepared(network: nn.Module, spec: DataSpec) -> nn.Module:
    """A network as it was built, float32, in eval mode, every weight with its shape."""
    network = network.float().eval()
    if any(nn.parameter.is_lazy(p) for p in network.parameters()):
        _outputs(network, spec)  # a lazy layer takes its shape from its first input
    return network


@torch.no_grad()
def _outputs(network: nn.Module, spec: DataSpec) -> Any:
    """What two black images give; a failure is explained by what the network wants."""
    try:
        return network(torch.zeros(2, *spec.shape))
    except Exception as error:  # whatever the network's own code raises
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"The network does not accept inputs of shape {spec.shape}: {reason}",
            _hint(network, spec),
        ) from error


def _hint(network: nn.Module, spec: DataSpec) -> str:
    """What to change about the data, found by trying."""
    if len(spec.shape) != 3:
        return "Set data.flatten to false if it takes images, or choose other data."
    if _accepts(network, (math.prod(spec.shape),)):
        return "It takes vectors: set data.flatten to true."
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    channels = first.in_channels if first else spec.shape[0]
    if channels != spec.shape[0] and channels in (1, 3):
        return f"It takes {channels}-channel images: set data.channels to {channels}."
    for size in SIZES:
        if _accepts(network, (channels, size, size)):
            return f"It takes {size}x{size} pixels: set data.size to {size}."
    return "Set data.size, data.channels or data.flatten to what it was made for."


def _accepts(network: nn.Module, shape: tuple[int, ...]) -> bool:
    try:
        network(torch.zeros(1, *shape))
    except Exception:  # any failure is a no
        return False
    return True


def _check_outputs(outputs: Any, spec: DataSpec) -> None:
    classes = len(spec.classes)
    if not isinstance(outputs, Tensor):
        raise InputError(
            f"The network returns a {type(outputs).__name__}, not one tensor.",
            "Make it return its class scores alone.",
        )
    if outputs.ndim != 2 or len(outputs) != 2:
        raise InputError(
            f"For two images the network returns shape {tuple(outputs.shape)}, "
            f"not (2, {classes}).",
            "It must return one row of class scores per image.",
        )
    if outputs.shape[1] != classes:
        raise InputError(
            f"The network tells {outputs.shape[1]} classes apart, the data have "
            f"{classes}.",
            "Choose the data it was trained on, or a network for these classes.",
        )


def _check_weights(network: nn.Module) -> None:
    """A Python file may load its own weights; damaged ones are refused here too."""
    for name, value in network.state_dict().items():
        numbers = isinstance(value, Tensor) and value.is_floating_point()
        if numbers and not value.isfinite().all():
            raise InputError(
                f"{name} of the network has values that are not finite numbers.",
                "Choose other weights: these come from a training that diverged.",
            )
