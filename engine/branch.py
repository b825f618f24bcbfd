"""Branching: a new run that begins at a node of another one, with other settings."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import machine
from engine.errors import EngineError, InputError
from engine.events import Branched, Event, NodeKept, Progressed
from engine.job import Job
from engine.monitor import Control, Monitor
from engine.origin import Origin
from engine.recipe import Recipe
from engine.records import contents, nodes
from engine.records.log import RunLog
from engine.records.store import Store
from engine.replanning import replanned
from engine.run import drive
from engine.sharing.processes import ALONE, Ranks


def branch(
    folder: str | Path,
    node: int,
    out: str | Path,
    recipe: Recipe | None = None,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
    ranks: Ranks = ALONE,
) -> Event:
    """Go on from a node of a run in a new folder; the run itself stays as it is.

    The branch begins with weights, masks, batch norm, place in the schedule and, where
    they were kept, what an estimator learned and the best epoch. The optimiser's
    momentum begins anew, which is told; the order of images and the calibration samples
    follow from seed and position, so they are those of the run. Its events begin with
    the run's events up to the node, and it shares the nodes up to there.

    Args:
        folder: Of the run.
        node: Number of the node.
        out: Folder of the branch, new or empty.
        recipe: Of the branch; None is the run's own.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.
        ranks: The processes of the branch.

    Returns:
        The last event.

    Raises:
        EngineError: See `run`; an `InputError` left nothing behind.
    """
    out, own = ranks.told(lambda: _checked(folder, node, out, recipe))
    recipe = recipe or own
    if recipe != own:  # whose changes on the way are not this one's
        recipe = recipe.model_copy(update={"amendments": ()})
    log = RunLog(emit, ranks.first)
    origin = Branch(Path(folder).absolute(), node, own)
    with machine.threads(recipe.machine):
        return drive(recipe, out, log, control, trust, ranks, origin)


def _checked(
    folder: str | Path, node: int, out: str | Path, recipe: Recipe | None
) -> tuple[Path, Recipe]:
    """The new folder and the run's recipe."""
    own, found = contents.recipe_of(folder), nodes.node_of(folder, node)
    recipe = recipe or own
    for group in ("model", "data"):
        if getattr(recipe, group) != getattr(own, group):
            raise InputError(
                f"A branch keeps the {group} of its run, and this recipe changes it.",
                f"Put the {group} back, or start a new run.",
            )
    if found.epoch > recipe.finetune.epochs:
        raise InputError(
            f"Node {node} comes after {found.epoch} epochs of fine-tuning, and the "
            f"recipe has {recipe.finetune.epochs}.",
            "Raise finetune.epochs, or branch from an earlier node.",
        )
    return Store.check(out), own


class Branch(Origin):
    """A node of another run, and a recipe that may differ from that run's.

    Args:
        parent: Its folder.
        node: The node's number.
        own: That run's recipe.
    """

    resumed = True

    def __init__(self, parent: Path, node: int, own: Recipe) -> None:
        self._parent, self._node, self._own = parent, node, own

    def state(
        self, folder: Path, log: RunLog, monitor: Monitor, ranks: Ranks
    ) -> dict[str, Any] | None:
        """What was kept; the run's events up to there are told first."""
        state = ranks.told(lambda: nodes.load(self._parent, self._node))
        past = ranks.told(self._past)
        for event in past:
            log(event)
        monitor.go_on_from(past[-1].time if past else state["elapsed"])
        return state

    def settle(self, job: Job, state: dict[str, Any]) -> None:
        """Put the job where the node was, as far as its recipe agrees."""
        job.monitor.emit(Branched(str(self._parent), self._node))
        settled, notes = replanned(state, job, self._own)
        super().settle(job, settled)
        for note in notes:
            job.monitor.notice(note, level="info")

    def open(self, folder: Path, log: RunLog, job: Job) -> None:
        """Make the folder, with the nodes so far and a state to resume from."""

        def make() -> Store:
            made = Store.create(folder, job.recipe)
            try:
                copied = nodes.share(self._parent, self._node, folder)
            except (EngineError, OSError) as error:
                made.close()
                shutil.rmtree(folder, ignore_errors=True)
                raise _unshared(self._parent, error) from error
            if copied:
                job.monitor.notice(
                    f"The branch could not share the disk space of {self._parent}, so "
                    f"{copied / 2**20:.1f} MB were copied.",
                    "Put both on one disk to have them share.",
                )
            return made

        log.open(make)
        log.save_state(job)

    def _past(self) -> list[Event]:
        """The run's events up to the node, progress left out."""
        found: list[Event] = []
        end = 0
        for event in contents.replay(self._parent):
            if not isinstance(event, Progressed):
                found.append(event)
            if isinstance(event, NodeKept) and event.node == self._node:
                end = len(found)
        return found[:end]


def _unshared(parent: Path, error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    return InputError(
        f"The nodes of {parent} cannot be shared: {error}.",
        "Free disk space, or choose another folder for the branch.",
    )
