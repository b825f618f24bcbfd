"""Bringing a recipe's network and images in, with everything worth telling."""

import torch
from torch import Tensor, nn

from engine.data.base import Data, DataSpec
from engine.data.splits import limited
from engine.errors import InputError
from engine.events import DataLoaded, LayerInfo, ModelLoaded
from engine.layers import closest, parameter_count, survey, total_macs, unmatched
from engine.loss import Loss, detect
from engine.models.load import check_fit, load_model, prepared
from engine.monitor import Monitor
from engine.part import title_of
from engine.recipe import Recipe

DETECTION_IMAGES = 64


def load_network(
    recipe: Recipe, monitor: Monitor, trust: frozenset[str]
) -> tuple[nn.Module, tuple[LayerInfo, ...]]:
    """The dense network on the CPU and its layer table (emits `ModelLoaded`).

    Raises:
        InputError: Network, checkpoint or data cannot be used, or do not fit.
    """
    torch.manual_seed(recipe.machine.seed)  # a network may start at random
    spec = recipe.data.describe()
    model = load_model(recipe.model, spec, trust, monitor)
    exclude = recipe.allocation.exclude
    try:
        check_fit(model, spec)
    except InputError:  # the layers can be looked at all the same
        monitor.emit(_loaded(recipe, model, survey(model, None, exclude)))
        raise
    layers = survey(model, spec.shape, exclude)
    for pattern in unmatched(exclude, layers):
        monitor.notice(
            f"No layer is called {pattern!r}, which is to be excluded.",
            closest(pattern, layers),
        )
    monitor.emit(_loaded(recipe, model, layers))
    return model, layers


def check_bounds(recipe: Recipe, layers: tuple[LayerInfo, ...]) -> None:
    """See whether every floor and ceiling is that of a layer.

    Raises:
        InputError: One is not; gives the nearest name.
    """
    for bound in ("floor", "ceiling"):
        for pattern in unmatched(getattr(recipe.allocation, bound), layers):
            raise InputError(
                f"No layer is called {pattern!r}, as allocation.{bound} has it.",
                closest(pattern, layers),
            )


def _loaded(
    recipe: Recipe, model: nn.Module, layers: tuple[LayerInfo, ...]
) -> ModelLoaded:
    name = title_of(type(recipe.model))
    return ModelLoaded(name, layers, parameter_count(model), total_macs(layers))


def rebuild(recipe: Recipe, spec: DataSpec, trust: frozenset[str]) -> nn.Module:
    """The network as a run prepares it, on the CPU, without its trained weights.

    Raises:
        InputError: It cannot be built; says why.
    """
    return prepared(recipe.model.build(spec, trust), spec)


def fill(model: nn.Module, state: dict[str, Tensor], what: str) -> None:
    """Give a freshly built network these weights.

    Args:
        model: Is changed.
        state: A `state_dict`.
        what: Whose weights they are, such as "The network of the run".

    Raises:
        InputError: They are another network's.
    """
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"{what} is not the one its recipe builds now.",
            "Put its Python file and its data back as they were then.",
            tuple(str(error).splitlines()),
        ) from error


def load_data(recipe: Recipe, device: torch.device, monitor: Monitor) -> Data:
    """All splits, served on `device` (emits `DataLoaded`)."""
    data = recipe.data.load(device, recipe.machine.seed, monitor)
    if recipe.data.limit:
        data = _limited(data, recipe, monitor)
    tell_data(data, monitor)
    return data


def tell_data(data: Data, monitor: Monitor) -> None:
    """Emit `DataLoaded`."""
    sizes = (len(data.train), len(data.validation), len(data.test))
    spec = data.spec
    monitor.emit(DataLoaded(spec.name, *sizes, spec.classes, spec.shape))


def _limited(data: Data, recipe: Recipe, monitor: Monitor) -> Data:
    few = limited(data, recipe.data.limit, recipe.machine.seed)
    monitor.notice(
        f"{len(few.train):,} of {len(data.train):,} training and "
        f"{len(few.validation):,} of {len(data.validation):,} validation images are "
        "used (data.limit).",
        level="info",
    )
    return few


def loss_for(model: nn.Module, recipe: Recipe, data: Data, monitor: Monitor) -> Loss:
    """The loss that suits what the network returns, seen on real images."""
    kind = recipe.model.output
    if kind == "auto":
        count = min(DETECTION_IMAGES, recipe.machine.batch, len(data.train))
        with torch.no_grad():
            kind = detect(model(data.train.batch(torch.arange(count))[0]))
        if kind != "logits":
            monitor.notice(
                f"The network returns {kind.replace('_', '-')}; the loss is set to it.",
                "Set model.output if that is wrong.",
                level="info",
            )
    return Loss(kind)
