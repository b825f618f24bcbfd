"""Latency: milliseconds that pruned networks of runs take here, as they are."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from engine import machine
from engine.errors import EngineError, InputError, TrustNeeded
from engine.events import Event
from engine.loading import fill, rebuild
from engine.looking.look import look
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.records import contents
from engine.records.standing import standing
from engine.steering.events import LatencyMeasured
from engine.words.units import many

WARM_UPS = 3  # passes before the first that counts
FEWEST, ENOUGH = 7, 0.5  # passes of a network at least, and seconds of them


def measure_latency(
    recipe: Recipe,
    folders: tuple[Path, ...],
    images: int,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> int | None:
    """Time a batch through the network of each run; see `look`.

    Networks are timed as torch runs them: with dense products, in which a weight that
    is zero takes as long as any other.

    Args:
        recipe: Names the device and the threads, for all runs alike.
        folders: Of the runs, each of which is told as a `LatencyMeasured`.
        images: Of a batch.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        How many were measured, or None when it was stopped.

    Raises:
        TrustNeeded: A network is built by a Python file that nobody has allowed.
        EngineError: The device is not there.
    """
    device = machine.pick_device(recipe.machine)

    def work(monitor: Monitor) -> tuple[int, str]:
        done = 0
        for folder in monitor.track(folders, "Latency"):
            told = _measured(Path(folder), images, device, monitor, trust)
            monitor.emit(told)
            done += told.seconds is not None
        return done, f"Measured the latency of {many(done, 'run')}."

    return look("Measuring latency", recipe, work, emit, control)


def _measured(
    folder: Path,
    images: int,
    device: torch.device,
    monitor: Monitor,
    trust: frozenset[str],
) -> LatencyMeasured:
    """Half of all passes took between `low` and `high` seconds."""
    unknown = LatencyMeasured(str(folder), images, machine.describe(device))
    try:
        spec = contents.spec_of(folder)
        model = rebuild(contents.recipe_of(folder), spec, trust)
        fill(model, standing(folder).weights, f"The network of {folder}")
        model.to(device).eval()
        generator = torch.Generator().manual_seed(0)
        batch = torch.randn((images, *spec.shape), generator=generator).to(device)
        found = sorted(_passes(model, batch, monitor))
    except TrustNeeded:
        raise
    except EngineError as error:
        return replace(unknown, error=error.message)
    except RuntimeError as error:  # such as too little memory
        told = InputError(f"{folder.name} cannot be measured: {error}.", "")
        return replace(unknown, error=told.message.splitlines()[0])
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return replace(unknown, seconds=middle, low=low, high=high, passes=len(found))


def _passes(
    model: torch.nn.Module, batch: torch.Tensor, monitor: Monitor
) -> list[float]:
    """Seconds of each pass after the first few."""
    found: list[float] = []
    with torch.inference_mode():
        for _ in range(WARM_UPS):
            model(batch)
        while len(found) < FEWEST or sum(found) < ENOUGH:
            monitor.check()
            machine.wait(batch.device)
            began = time.perf_counter()
            model(batch)
            machine.wait(batch.device)
            found.append(time.perf_counter() - began)
    return found
