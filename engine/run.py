"""The pruning loop: a run from its first event to its last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine import machine, masks, store
from engine.errors import EngineError, InputError, RunError, Stopped
from engine.events import (
    Event,
    LevelsPlanned,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    Saved,
)
from engine.job import Job
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.store import Store
from engine.summary import summarise

Emit = Callable[[Event], None]


def run(
    recipe: Recipe,
    folder: str | Path,
    emit: Emit = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Event:
    """Prune as the recipe says, in a new folder.

    Args:
        recipe: Everything about the run.
        folder: New or empty; appears only once network and data are loaded.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The last event: `RunFinished` or `RunStopped`.

    Raises:
        EngineError: After `RunFailed`; an `InputError` left nothing behind.
    """
    log = _Log(emit)
    with machine.threads(recipe.machine):
        return _drive(recipe, Store.check(folder), log, control, trust, resumed=False)


def resume(
    folder: str | Path,
    emit: Emit = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Event:
    """Go on with a run that was stopped or broken off; see `run`."""
    recipe = store.recipe_of(folder)
    if (Path(folder) / "summary.json").exists():
        raise InputError(
            f"The run in {folder} is finished.", "Start a new run in another folder."
        )
    log = _Log(emit)
    with machine.threads(recipe.machine):
        return _drive(recipe, Path(folder), log, control, trust, resumed=True)


def tell_story(job: Job, save: Callable[[], None]) -> None:
    """Measure, prune and fine-tune in the order of the schedule; skips what is done."""
    if "dense" not in job.results:
        job.measure_dense()
    while not job.pruned:
        job.measure_level()
        if job.finetuner.epoch < job.levels[job.level].epoch:
            job.train_epoch()
        else:
            job.prune_step()
        save()
    if "pruned" not in job.results:
        job.measure("pruned")
    if job.recipe.repair.due("end") and "repaired" not in job.results:
        if not job.repaired:  # a stop may have come before it was measured
            job.repair("end")
        job.measure("repaired")
        save()
    while job.finetuner.epoch < job.recipe.finetune.epochs:
        job.train_epoch()
        save()
    job.finish()
    job.measure("final")


class _Log:
    """Passes events on, and to the run folder as soon as there is one."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._waiting: list[Event] = []
        self.store: Store | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunFailed):
            self._emit(event)  # first: the folder may be what failed
            self._record(event)
        else:
            self._record(event)
            self._emit(event)

    def _record(self, event: Event) -> None:
        if self.store is None:
            self._waiting.append(event)
        else:
            self.store.record(event)

    def open(self, opened: Store) -> None:
        self.store = opened
        for event in self._waiting:
            opened.record(event)
        self._waiting.clear()


def _drive(
    recipe: Recipe,
    folder: Path,
    log: _Log,
    control: Control | None,
    trust: frozenset[str],
    resumed: bool,
) -> Event:
    device = machine.pick_device(recipe.machine)
    monitor = Monitor(log, control, lambda: machine.memory_used(device))
    try:
        state = _reopen(folder, log, monitor) if resumed else None
        name = machine.describe(device)
        monitor.emit(RunStarted(str(folder), name, recipe.machine.seed, resumed))
        return _go(recipe, folder, log, monitor, trust, state)
    except Exception as error:
        known = _explained(error)
        monitor.emit(RunFailed(known.message, known.hint, known.details))
        raise known from error
    finally:
        if log.store:
            log.store.close()


def _reopen(folder: Path, log: _Log, monitor: Monitor) -> dict[str, Any] | None:
    """Lock the folder of an earlier run; its newest state that loads."""
    log.open(Store.open(folder))
    state = store.newest_state(
        folder, lambda path: monitor.notice(f"{path.name} is broken and was passed by.")
    )
    if state is None:
        monitor.notice("No saved state was found, so the run starts over.")
    else:
        monitor.go_on_from(state["elapsed"])
    return state


def _go(
    recipe: Recipe,
    folder: Path,
    log: _Log,
    monitor: Monitor,
    trust: frozenset[str],
    state: dict[str, Any] | None,
) -> Event:
    job = None
    try:
        job = Job(recipe, monitor, trust, folder)
        if state:
            job.load_state_dict(state)
        if log.store is None:
            log.open(Store.create(folder, recipe))
        monitor.emit(_plan(job))
        tell_story(job, lambda: log.store.save_state(job.state_dict()))
        log.store.save_result(job.model.state_dict(), summarise(job))
        monitor.emit(Saved(str(folder / "model.safetensors")))
        return monitor.emit(_finished(job))
    except Stopped:
        if log.store is None:
            return monitor.emit(RunStopped("Stopped before anything was written."))
        if job:
            log.store.save_state(job.state_dict())
        return monitor.emit(RunStopped())


def _plan(job: Job) -> LevelsPlanned:
    epochs = tuple(float(level.epoch) for level in job.levels)
    sparsities = tuple(level.sparsity for level in job.levels)
    return LevelsPlanned(epochs, sparsities, job.recipe.finetune.epochs)


def _finished(job: Job) -> RunFinished:
    dense, final = job.results["dense"], job.results["final"]
    return RunFinished(masks.sparsity(job.masks), dense.accuracy, final.accuracy)


def _explained(error: Exception) -> EngineError:
    """Any failure as something a person can act on."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return RunError(
            "The machine ran out of memory.",
            "Lower estimator.samples, estimator.block_size or the batch sizes.",
        )
    return RunError(
        f"Something went wrong inside Secateur: {type(error).__name__}: {error}",
        "Please report this with the run folder and the recipe.",
    )
