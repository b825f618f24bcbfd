"""The pruning loop: a run from its first event to its last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine import machine, masks
from engine.amending import amend, planned
from engine.errors import InputError, Stopped
from engine.events import (
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    Saved,
)
from engine.explained import explained
from engine.job import Job
from engine.known import Known
from engine.monitor import Control, Monitor
from engine.origin import Origin, Resumed
from engine.recipe import Recipe
from engine.records import contents
from engine.records.log import RunLog
from engine.records.store import Store
from engine.sharing.processes import ALONE, Ranks
from engine.steering.study import Study

Emit = Callable[[Event], None]
Watch = Callable[[Study], None]


def run(
    recipe: Recipe,
    folder: str | Path,
    emit: Emit = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
    ranks: Ranks = ALONE,
    known: Known | None = None,
    watch: Watch | None = None,
) -> Event:
    """Prune as the recipe says, in a new folder.

    Args:
        recipe: Everything about the run.
        folder: New or empty; appears only once network and data are loaded.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.
        ranks: The processes of this run; only the first emits and writes.
        known: What earlier runs found out, and this one adds to.
        watch: Receives the `Study` of the first scoring on this thread.

    Returns:
        The last event: `RunFinished` or `RunStopped`.

    Raises:
        EngineError: After `RunFailed`; an `InputError` left nothing behind.
    """
    folder = ranks.told(lambda: Store.check(folder))
    log = RunLog(emit, ranks.first)
    common = (control, trust, ranks, Origin(), known, watch)
    with machine.threads(recipe.machine):
        return drive(recipe, folder, log, *common)


def resume(
    folder: str | Path,
    emit: Emit = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
    ranks: Ranks = ALONE,
) -> Event:
    """Go on with a run that was stopped or broken off; see `run`."""
    recipe = ranks.told(lambda: _unfinished(folder))
    log = RunLog(emit, ranks.first)
    with machine.threads(recipe.machine):
        return drive(recipe, Path(folder), log, control, trust, ranks, Resumed())


def tell_story(
    job: Job,
    save: Callable[[], None],
    amend: Callable[[], None],
    keep: Callable[[], None],
) -> None:
    """Measure, prune and fine-tune in the order of the schedule; skips what is done.

    Args:
        job: Whose network it is.
        save: Called after every step, so that the run can be resumed there.
        amend: Called where what was changed on the way may take effect.
        keep: Called whenever the network was measured, so that it can become a node.
    """
    if "dense" not in job.results:
        job.measure_dense()
    while not job.course.over:
        amend()
        job.measure_level()
        keep()
        if job.finetuner.epoch < job.course.next.epoch:
            job.train_epoch()
        else:
            job.prune_step()
        save()
    if "pruned" not in job.results:
        job.measure("pruned")
    keep()
    if job.recipe.repair.due("end") and "repaired" not in job.results:
        if not job.repaired:  # a stop may have come before it was measured
            job.repair("end")
        job.measure("repaired")
        save()
        keep()
    amend()
    while job.finetuner.epoch < job.recipe.finetune.epochs:
        job.train_epoch()
        save()
        keep()
        amend()
    job.finish()
    job.measure("final")


def drive(
    recipe: Recipe,
    folder: Path,
    log: RunLog,
    control: Control | None,
    trust: frozenset[str],
    ranks: Ranks,
    origin: Origin,
    known: Known | None = None,
    watch: Watch | None = None,
) -> Event:
    """Take a run from its origin to its last event, whichever that is; see `run`."""
    device = machine.pick_device(recipe.machine)
    machine.forget_peak(device)  # an earlier run of this process had its own
    control = ranks.control(control)
    monitor = Monitor(log, control, lambda: machine.memory_used(device), watch)
    try:
        state = origin.state(folder, log, monitor, ranks)
        place, resumed = _place(device, ranks), origin.resumed
        monitor.emit(RunStarted(str(folder), place, recipe.machine.seed, resumed))
        return _go(recipe, folder, log, monitor, trust, ranks, origin, state, known)
    except Exception as error:
        failure = explained(error)
        monitor.emit(RunFailed(failure.message, failure.hint, failure.details))
        ranks.confess(failure)
        raise failure from error
    finally:
        log.close()


def _unfinished(folder: str | Path) -> Recipe:
    """The recipe of a run that has not reached its end."""
    recipe = contents.recipe_of(folder)
    if (Path(folder) / "summary.json").exists():
        raise InputError(
            f"The run in {folder} is finished.", "Start a new run in another folder."
        )
    return recipe


def _place(device: torch.device, ranks: Ranks) -> str:
    place = machine.describe(device)
    return f"{place}, {ranks.size} processes" if ranks.size > 1 else place


def _go(
    recipe: Recipe,
    folder: Path,
    log: RunLog,
    monitor: Monitor,
    trust: frozenset[str],
    ranks: Ranks,
    origin: Origin,
    state: dict[str, Any] | None,
    known: Known | None,
) -> Event:
    job = None
    try:
        job = _load(recipe, folder, monitor, trust, ranks, known)
        if state:
            origin.settle(job, state)
        with monitor.apart():
            origin.open(folder, log, job)
        monitor.emit(planned(job))
        tell_story(
            job,
            lambda: log.save_state(job),
            lambda: amend(job, log.save_recipe),
            lambda: log.keep_node(job),
        )
    except Stopped:
        if not ranks.told(lambda: log.folder is not None):
            return monitor.emit(RunStopped("Stopped before anything was written."))
        if job:
            ranks.told(lambda: log.save_state(job))
        return monitor.emit(RunStopped())
    ranks.told(lambda: log.keep_node(job, ended=True))
    path = ranks.told(lambda: log.save_result(job))
    if path:
        monitor.emit(Saved(str(path)))
    return monitor.emit(_finished(job))


def _load(
    recipe: Recipe,
    folder: Path,
    monitor: Monitor,
    trust: frozenset[str],
    ranks: Ranks,
    known: Known | None,
) -> Job:
    """The same network and data in every process."""
    wanted = recipe.machine.processes
    if ranks.size == 1 < wanted:
        monitor.notice(
            f"The recipe asks for {wanted} processes, and this run has one.",
            f"Start it with torchrun --nproc-per-node {wanted} -m engine.",
        )
    return Job(recipe, monitor, trust, folder, ranks, known)


def _finished(job: Job) -> RunFinished:
    dense, final = job.results["dense"], job.results["final"]
    return RunFinished(masks.sparsity(job.masks), dense.accuracy, final.accuracy)
