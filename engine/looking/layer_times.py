"""Layer times: milliseconds of every layer at several sparsities, on this machine."""

import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import machine
from engine.events import Event
from engine.looking.bench import Bench
from engine.looking.look import look
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.steering.spending import LayerTimes, Times
from engine.steering.study import Study
from engine.words.units import many, number

SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
LEAST, PATIENCE = 5, 0.02  # runs and seconds for each time that is taken
Kernel = Callable[[], Tensor]


def measure_times(
    recipe: Recipe,
    study: Study,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Times | None:
    """Time each layer of the scored network on its own inputs, for one image.

    Dense: the layer as it is. Sparse: the weight as CSR matrix times the unfolded
    input, unfolding counted. The faster one counts at each sparsity, in the order in
    which the study would cut. A layer that is neither linear nor an ungrouped 2-d
    convolution has no sparse product here and keeps its dense time, as do the layers
    that were not scored. Each time is the shortest of at least `LEAST` runs, which is
    what other work on the machine disturbs least.

    Args:
        recipe: With which it was scored.
        study: The scored network, and which of its weights go first.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The times, or None when it was stopped.

    Raises:
        EngineError: The recipe cannot run; after `LookEnded`.
    """

    def work(monitor: Monitor) -> tuple[Times, str]:
        with monitor.phase("load"):
            bench = Bench(recipe, study, trust, monitor)
        with monitor.phase("evaluate"):
            times = _timed(bench, study, monitor)
        gain = sum(each.gains_from is not None for each in times.layers.values())
        return times, (
            f"One image takes {number(times.dense)} ms dense; sparsity makes {gain} of "
            f"{many(len(study.order), 'layer')} faster here."
        )

    return look("Timing layers", recipe, work, emit, control)


def _timed(bench: Bench, study: Study, monitor: Monitor) -> Times:
    model, device = bench.model, next(bench.model.parameters()).device
    image = bench.split.batch(bench.draw(1))[0]
    inputs = _inputs(model, image, study)
    layers = {}
    with torch.no_grad():
        whole = _shortest(lambda: model(image), device)
        for name, seen in monitor.track(inputs.items(), "Timing layers", len(inputs)):
            layers[name] = _times(name, model, seen, study, device)
    rest = max(whole - sum(each.dense for each in layers.values()), 0.0)
    return Times(layers, rest, 1, machine.describe(device))


def _inputs(model: nn.Module, image: Tensor, study: Study) -> dict[str, list[Tensor]]:
    """What each scored layer is called with, once per call."""
    seen: dict[str, list[Tensor]] = {}
    with ExitStack() as hooks, torch.no_grad():
        for name in study.order:
            module = _owner(model, name)
            if isinstance(module, nn.Linear | nn.Conv2d):
                seen[name] = []
                hook = module.register_forward_pre_hook(
                    lambda _, args, kept=seen[name]: kept.append(args[0])
                )
                hooks.callback(hook.remove)
        model(image)
    return {name: calls for name, calls in seen.items() if calls}


def _times(
    name: str, model: nn.Module, calls: list[Tensor], study: Study, device: torch.device
) -> LayerTimes:
    module, layer = _owner(model, name), study.ranking.layers[name]
    dense = _shortest(lambda: [module(each) for each in calls], device)
    if not has_sparse_product(module):
        return LayerTimes((0.0, 1.0), (dense, dense), dense, None)
    sparsities, found = [0.0], [dense]
    for share in SPARSITIES:
        units = layer.nearest(share * layer.size - layer.zeros)
        weight = study.state[name].to(device, copy=True)
        weight.view(-1)[study.removed({name: units}, name).to(device)] = 0
        rows = csr(weight)
        sparsities.append((layer.zeros + layer.weights(units)) / layer.size)
        found.append(
            _shortest(
                lambda kept=rows: [sparse_product(module, kept, x) for x in calls],
                device,
            )
        )
    gains = next((s for s, t in zip(sparsities, found, strict=True) if t < dense), None)
    fastest, told = dense, []
    for each in found:
        fastest = min(fastest, each)
        told.append(fastest)
    return LayerTimes(tuple(sparsities), tuple(told), dense, gains)


def has_sparse_product(module: nn.Module) -> bool:
    """Whether `sparse_product` can take its place."""
    if isinstance(module, nn.Linear):
        return True
    plain = isinstance(module, nn.Conv2d) and module.groups == 1
    return plain and module.padding_mode == "zeros" and module.padding != "same"


def csr(weight: Tensor) -> Tensor:
    """A layer's weight as a sparse matrix of one row an output."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*beta state.*")
        return weight.flatten(1).to_sparse_csr()


def sparse_product(module: nn.Linear | nn.Conv2d, rows: Tensor, x: Tensor) -> Tensor:
    """The layer's outputs by a sparse matrix product.

    Args:
        module: Its shape and bias.
        rows: Its weight, see `csr`.
        x: Its input.
    """
    if isinstance(module, nn.Linear):
        found = (rows @ x.flatten(0, -2).T).T.unflatten(0, x.shape[:-1])
        return found if module.bias is None else found + module.bias
    height, width = _places(module, x)
    if module.kernel_size == (1, 1) and module.padding in ((0, 0), "valid"):
        down, right = module.stride
        columns = x[:, :, ::down, ::right].flatten(2)
    else:
        padding = 0 if module.padding == "valid" else module.padding
        columns = functional.unfold(
            x, module.kernel_size, module.dilation, padding, module.stride
        )
    found = rows @ columns.transpose(0, 1).flatten(1)
    found = found.unflatten(1, (len(x), height, width)).transpose(0, 1)
    return found if module.bias is None else found + module.bias[:, None, None]


def _places(module: nn.Conv2d, x: Tensor) -> tuple[int, int]:
    """Height and width of the output."""
    padding = (0, 0) if module.padding == "valid" else module.padding
    sizes = zip(
        x.shape[-2:], module.kernel_size, module.dilation, padding, module.stride,
        strict=True,
    )  # fmt: skip
    height, width = (
        (size + 2 * pad - far * (kernel - 1) - 1) // step + 1
        for size, kernel, far, pad, step in sizes
    )
    return height, width


def _owner(model: nn.Module, name: str) -> nn.Module | None:
    """The module whose `weight` this is."""
    path, _, own = name.rpartition(".")
    return model.get_submodule(path) if own == "weight" else None


def _shortest(kernel: Kernel, device: torch.device) -> float:
    """Milliseconds of the shortest run after a first one that prepares."""
    kernel()
    taken: list[float] = []
    while len(taken) < LEAST or sum(taken) < PATIENCE:
        machine.wait(device)
        began = time.perf_counter()
        kernel()
        machine.wait(device)
        taken.append(time.perf_counter() - began)
    return 1000 * min(taken)
