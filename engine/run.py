"""The pruning loop: a run from its first event to its last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine import machine, masks
from engine.amending import amend, planned
from engine.comparing.known import Known
from engine.errors import InputError, Stopped
from engine.events import (
    Event,
    Restored,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStopped,
    Saved,
)
from engine.explained import explained
from engine.job import Job
from engine.layers import layer_states
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.records import store
from engine.records.store import Store
from engine.records.summary import summarise
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
    log = _Log(emit, ranks.first)
    with machine.threads(recipe.machine):
        return _drive(recipe, folder, log, control, trust, ranks, False, known, watch)


def resume(
    folder: str | Path,
    emit: Emit = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
    ranks: Ranks = ALONE,
) -> Event:
    """Go on with a run that was stopped or broken off; see `run`."""
    recipe = ranks.told(lambda: _unfinished(folder))
    log = _Log(emit, ranks.first)
    with machine.threads(recipe.machine):
        return _drive(recipe, Path(folder), log, control, trust, ranks, True)


def tell_story(job: Job, save: Callable[[], None], amend: Callable[[], None]) -> None:
    """Measure, prune and fine-tune in the order of the schedule; skips what is done."""
    if "dense" not in job.results:
        job.measure_dense()
    while not job.course.over:
        amend()
        job.measure_level()
        if job.finetuner.epoch < job.course.next.epoch:
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
    amend()
    while job.finetuner.epoch < job.recipe.finetune.epochs:
        job.train_epoch()
        save()
        amend()
    job.finish()
    job.measure("final")


class _Log:
    """Passes events on, and to the run folder as soon as there is one.

    Of several processes only one `speaks`; the logs of the others swallow everything.
    """

    def __init__(self, emit: Emit, speaks: bool) -> None:
        self._emit, self._speaks = emit, speaks
        self._waiting: list[Event] = []
        self._store: Store | None = None

    def __call__(self, event: Event) -> None:
        if self._speaks and isinstance(event, RunFailed):
            self._emit(event)  # first: the folder may be what failed
            self._record(event)
        elif self._speaks:
            self._record(event)
            self._emit(event)

    def _record(self, event: Event) -> None:
        if self._store is None:
            self._waiting.append(event)
        else:
            self._store.record(event)

    def open(self, make: Callable[[], Store]) -> None:
        if self._speaks and not self._store:
            self._store = make()
            for event in self._waiting:
                self._store.record(event)
            self._waiting.clear()

    @property
    def is_open(self) -> bool:
        """Whether there is a run folder."""
        return self._store is not None

    def save_recipe(self, recipe: Recipe) -> None:
        if self._store:
            self._store.save_recipe(recipe)

    def save_state(self, job: Job) -> None:
        if self._store:
            self._store.save_state(job.state_dict())

    def save_result(self, job: Job) -> None:
        if self._store:
            self._store.save_result(job.model.state_dict(), summarise(job))

    def close(self) -> None:
        if self._store:
            self._store.close()


def _drive(
    recipe: Recipe,
    folder: Path,
    log: _Log,
    control: Control | None,
    trust: frozenset[str],
    ranks: Ranks,
    resumed: bool,
    known: Known | None = None,
    watch: Watch | None = None,
) -> Event:
    device = machine.pick_device(recipe.machine)
    machine.forget_peak(device)  # an earlier run of this process had its own
    control = ranks.control(control)
    monitor = Monitor(log, control, lambda: machine.memory_used(device), watch)
    try:
        state = _reopen(folder, log, monitor, ranks) if resumed else None
        place = _place(device, ranks)
        monitor.emit(RunStarted(str(folder), place, recipe.machine.seed, resumed))
        return _go(recipe, folder, log, monitor, trust, ranks, state, known)
    except Exception as error:
        failure = explained(error)
        monitor.emit(RunFailed(failure.message, failure.hint, failure.details))
        ranks.confess(failure)
        raise failure from error
    finally:
        log.close()


def _unfinished(folder: str | Path) -> Recipe:
    """The recipe of a run that has not reached its end."""
    recipe = store.recipe_of(folder)
    if (Path(folder) / "summary.json").exists():
        raise InputError(
            f"The run in {folder} is finished.", "Start a new run in another folder."
        )
    return recipe


def _place(device: torch.device, ranks: Ranks) -> str:
    place = machine.describe(device)
    return f"{place}, {ranks.size} processes" if ranks.size > 1 else place


def _reopen(
    folder: Path, log: _Log, monitor: Monitor, ranks: Ranks
) -> dict[str, Any] | None:
    """Lock the folder of an earlier run; its newest state that loads."""
    with monitor.apart():
        log.open(lambda: Store.open(folder))
    broken: list[Path] = []
    state = ranks.told(lambda: store.newest_state(folder, broken.append))
    for path in broken:
        monitor.notice(f"{path.name} is broken and was passed by.")
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
    ranks: Ranks,
    state: dict[str, Any] | None,
    known: Known | None,
) -> Event:
    job = None
    try:
        job = _load(recipe, folder, monitor, trust, ranks, state, known)
        with monitor.apart():
            if state is None:
                log.open(lambda: Store.create(folder, recipe))
        monitor.emit(planned(job))
        tell_story(
            job, lambda: log.save_state(job), lambda: amend(job, log.save_recipe)
        )
    except Stopped:
        if not ranks.told(lambda: log.is_open):
            return monitor.emit(RunStopped("Stopped before anything was written."))
        if job:
            ranks.told(lambda: log.save_state(job))
        return monitor.emit(RunStopped())
    ranks.told(lambda: log.save_result(job))
    monitor.emit(Saved(str(folder / "model.safetensors")))
    return monitor.emit(_finished(job))


def _load(
    recipe: Recipe,
    folder: Path,
    monitor: Monitor,
    trust: frozenset[str],
    ranks: Ranks,
    state: dict[str, Any] | None,
    known: Known | None,
) -> Job:
    """The same network and data in every process, where the run begins or goes on."""
    wanted = recipe.machine.processes
    if ranks.size == 1 < wanted:
        monitor.notice(
            f"The recipe asks for {wanted} processes, and this run has one.",
            f"Start it with torchrun --nproc-per-node {wanted} -m engine.",
        )
    job = Job(recipe, monitor, trust, folder, ranks, known)
    if state:
        job.load_state_dict(state)
        states = layer_states(job.masks, job.thresholds)
        monitor.emit(Restored(masks.sparsity(job.masks), states))
    return job


def _finished(job: Job) -> RunFinished:
    dense, final = job.results["dense"], job.results["final"]
    return RunFinished(masks.sparsity(job.masks), dense.accuracy, final.accuracy)
