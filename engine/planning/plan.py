"""What a recipe will cost, before it starts: memory, passes, disk and time."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from engine import machine, masks
from engine.errors import InputError
from engine.estimators.base import ObsEstimator
from engine.layers import uses
from engine.levels import levels
from engine.loading import check_bounds, load_data, load_network
from engine.monitor import Monitor
from engine.planning import memory, times
from engine.planning.budget import Budget, decide
from engine.planning.memory import Extent
from engine.planning.timeline import takes, wanted
from engine.recipe import Recipe

TIMED = (
    "Times follow from passes of a few images and a float64 matrix product, measured "
    "just now on this machine as busy as it is."
)
SHARED = (
    "Memory is what each of the processes takes; times are those of a single process."
)


@dataclass(frozen=True)
class Plan:
    """A run in numbers.

    Attributes:
        device: Where it would happen.
        prunable: Weights that can go.
        targets: What is gone after each prune, and `epochs` when each is due.
        of: What the targets are a fraction of.
        steps: Prune steps in all, recomputations counted.
        calibration_images: Images with a backward pass over all steps.
        passes: How often the gradients of one step are read, by what for.
        block_size: Weights per block; 0 is the whole layer, None no blocks.
        paged: Gradients are kept on the disk.
        half_precision: They are kept with 11 significant bits.
        peak_bytes: Most memory on the device, the program itself included.
        limit_bytes: What the run may use there.
        host_bytes: Most memory beside the device; the peak itself on a CPU.
        phase_bytes: Most memory on the device in each phase.
        gradient_bytes: Gradients of one step, wherever they are.
        disk_bytes: Temporary files.
        timeline_bytes: What the run folder keeps to look back at, about.
        seconds: By phase; rough, see `reasons`.
        reasons: What was chosen and why, in sentences.
    """

    device: str
    prunable: int
    targets: tuple[float, ...]
    of: str
    epochs: tuple[int, ...]
    steps: int
    calibration_images: int
    passes: dict[str, int]
    block_size: int | None
    paged: bool
    half_precision: bool
    peak_bytes: int
    limit_bytes: int
    host_bytes: int
    phase_bytes: dict[str, int]
    gradient_bytes: int
    disk_bytes: int
    timeline_bytes: int
    seconds: dict[str, float]
    reasons: tuple[str, ...]


def plan(
    recipe: Recipe,
    trust: frozenset[str] = frozenset(),
    folder: str | Path | None = None,
    watched: bool = False,
) -> Plan:
    """Predict what a run takes; network and data are loaded, nothing is computed.

    Args:
        recipe: What would be run.
        trust: SHA-256 digests of Python files that may be executed.
        folder: Where it would run; None is the system's folder for temporary files.
        watched: The window keeps a `Study` of the run, which takes memory of the host.

    Raises:
        InputError: The recipe cannot run, or does not fit; the hint says what would.
    """
    with machine.threads(recipe.machine):
        return _plan(recipe, trust, Path(folder or tempfile.gettempdir()), watched)


def _plan(recipe: Recipe, trust: frozenset[str], folder: Path, watched: bool) -> Plan:
    device = machine.pick_device(recipe.machine)
    monitor = Monitor()
    model, layers = load_network(recipe, monitor, trust)
    check_bounds(recipe, layers)
    data = load_data(recipe, device, Monitor())
    model.to(device)
    prunable = tuple(layer for layer in layers if layer.status == "prunable")
    names = tuple(layer.name for layer in prunable)
    if not names:
        raise InputError(
            "No layer is left to prune.", "Clear some of allocation.exclude."
        )
    weights = dict(model.named_parameters())
    kept = masks.from_zeros({name: weights[name] for name in names})
    recipe.allocation.check(kept, uses(layers))
    size = memory.extent(model, names, data)
    processes = recipe.machine.processes
    budget = decide(recipe, model, names, size, device, folder, processes, watched)
    weights = {name: model.get_parameter(name).detach() for name in names}
    prunes, notes = levels(recipe, kept, uses(layers))
    steps = sum(len(level.steps) for level in prunes)
    keeps, left_out = wanted(recipe, size, prunes)
    method, second_order = recipe.estimator, isinstance(recipe.estimator, ObsEstimator)
    rows = memory.samples(method, size) if second_order else 0
    return Plan(
        device=machine.describe(device),
        prunable=size.prunable,
        targets=tuple(level.sparsity for level in prunes),
        of=recipe.allocation.of,
        epochs=tuple(level.epoch for level in prunes),
        steps=steps,
        calibration_images=rows * method.batch * steps if second_order else 0,
        passes={
            "images": steps,
            "disk": steps * times.reads(recipe) if budget.disk else 0,
        },
        block_size=budget.block_size,
        paged=budget.storage.folder is not None,
        half_precision=budget.storage.half,
        peak_bytes=budget.peak,
        limit_bytes=budget.limit,
        host_bytes=_host(budget, size, device, watched),
        phase_bytes=budget.phases,
        gradient_bytes=memory.held(size, method, budget.storage) if second_order else 0,
        disk_bytes=budget.disk,
        timeline_bytes=takes(recipe, keeps, size, prunes),
        seconds=times.seconds(
            recipe, model, prunable, size, budget, steps, device, folder
        ),
        reasons=(
            *(*monitor.notices, *budget.reasons, *notes),
            *([left_out] if left_out else []),
            *(TIMED, *([SHARED] if processes > 1 else [])),
        ),
    )


def _host(budget: Budget, size: Extent, device: torch.device, watched: bool) -> int:
    """On a GPU's host: the program, copies of the network on their way, a page."""
    if device.type == "cpu":
        return budget.peak
    copies = 3 * size.parameters  # as loaded, the best epoch, a state being written
    page = memory.PAGE if budget.disk else 0
    page += memory.study(size) if watched else 0
    return machine.memory_used(torch.device("cpu")) + copies + page
