"""Branching: a new run that begins at a node of another one, with other settings."""

import dataclasses
import shutil
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

from engine import machine
from engine.errors import EngineError, InputError
from engine.events import Branched, Event, NodeKept, Progressed
from engine.job import Job
from engine.masks import Masks
from engine.monitor import Control, Monitor
from engine.origin import Origin
from engine.recipe import Recipe
from engine.records import nodes, store
from engine.records.log import RunLog
from engine.records.store import Store
from engine.run import drive
from engine.schedules.base import Level
from engine.sharing.processes import ALONE, Ranks
from engine.words.units import percent

NEAR = 1e-4  # of the weights: less is no prune worth its curvature
PLANNING = ("allocation", "pattern", "schedule", "finetune.epochs")  # give the prunes
BLOCKING = ("estimator", "machine.device", "machine.memory")  # give the block size


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
    own, found = store.recipe_of(folder), nodes.node_of(folder, node)
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
        settled, notes = fitted(state, job, self._own)
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
        for event in store.replay(self._parent):
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


def fitted(
    state: dict[str, Any], job: Job, own: Recipe
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The state of a node as a job with another recipe can go on from, and notes.

    With the same allocation, pattern, schedule and epochs the prunes are those that the
    run had planned. Otherwise they are planned as if from the beginning: prunes that
    are behind are left out, and what is overdue is taken at once.

    Args:
        state: Of the node, see `Job.state_dict`.
        job: Loaded with the recipe of the branch, its network dense.
        own: Recipe of the run that the node is of.

    Raises:
        InputError: The recipe cannot apply to a network that is pruned so far.
    """
    recipe, tuning, notes = job.recipe, dict(state["finetuner"]), []
    masks = _masks(state["masks"], job)
    levels = tuple(Level(*level) for level in state["levels"])
    level, step = state["level"], state["step"]
    amended = recipe.amendments != own.amendments
    if amended or any(_other(recipe, own, key) for key in PLANNING):
        done = _done(levels, level, step)
        behind = levels[level - 1].epoch if level else -1
        levels = (*done, *_remaining(job, masks, tuning["epoch"], behind))
        level, step = len(done), 0
    changes: dict[str, Any] = {"measured": level, "level": level, "step": step}
    if level < len(levels):  # what was found out after the last prune is of another
        dense = {"dense": state["results"]["dense"]}
        changes |= {"repaired": False, "results": dense}
        tuning["best"] = None
    if amended:
        changes |= {"amended": 0}
        notes.append(
            "What was changed while the run went on is left out: the branch goes by "
            "its recipe as it stands."
        )
    if any(_other(recipe, own, key) for key in BLOCKING):
        changes |= {"block_size": job.budget.block_size}
    if recipe.estimator != own.estimator:
        changes |= {"learned": {}}
    elif state["learned"] is None:
        changes |= {"learned": {}}
        notes.append(
            "What the estimator had learned by then was too large to keep, so it "
            "learns anew."
        )
    if tuning["epoch"] and tuning["epoch"] < recipe.finetune.epochs:
        notes.append("Fine-tuning goes on with a fresh optimiser, without momentum.")
    plain = [dataclasses.astuple(each) for each in levels]
    return state | changes | {
        "masks": masks,
        "levels": plain,
        "finetuner": tuning,
    }, tuple(notes)


def _other(recipe: Recipe, own: Recipe, key: str) -> bool:
    """Whether a group or setting is another."""
    read = attrgetter(key)
    return read(recipe) != read(own)


def _masks(kept: Masks, job: Job) -> Masks:
    """Those of the layers that are prunable now."""
    for name, mask in kept.items():
        if name not in job.masks and not bool(mask.all()):
            raise InputError(
                f"{name} is pruned already, so it cannot be excluded any more.",
                "Give it its present sparsity as allocation.ceiling, or branch from an "
                "earlier node.",
            )
    own = {name: mask.cpu() for name, mask in job.masks.items()}
    return {name: kept.get(name, mask) for name, mask in own.items()}


def _done(levels: tuple[Level, ...], level: int, step: int) -> tuple[Level, ...]:
    """The prunes that are behind, a half done one among them."""
    if not step:
        return levels[:level]
    half = levels[level]
    part = dataclasses.replace(half, steps=half.steps[:step], depths=half.depths[:step])
    return (*levels[:level], part)


def _rounding(job: Job, masks: Masks) -> float:
    """What a prune may be off its level by, as the allocation counts it."""
    prices = job.recipe.allocation.prices(masks, job.uses)
    total = sum(prices[name] * mask.numel() for name, mask in masks.items())
    return max(NEAR, max(prices.values()) / total)


def _remaining(job: Job, masks: Masks, epoch: int, behind: int) -> tuple[Level, ...]:
    """The prunes of the job's own plan that are still to come.

    Args:
        job: Loaded.
        masks: Of the node.
        epoch: Of the node.
        behind: Epoch of the last prune that is complete; -1 is none.
    """
    allocation, uses = job.recipe.allocation, job.uses
    allocation.check(masks, uses)
    now, near = allocation.progress(masks, uses), _rounding(job, masks)
    if now > allocation.sparsity + near:
        raise InputError(
            f"{percent(now, 2)} of the {allocation.of} are gone at this node, more "
            f"than the target of {percent(allocation.sparsity, 2)}.",
            "Raise allocation.sparsity, or branch from an earlier node.",
        )
    zeros, _ = job.recipe.pattern.limits(masks)
    most = allocation.share(zeros, masks, uses)
    found: list[Level] = []
    for level in job.course.levels:
        steps = tuple(min(s, most) for s in level.steps if s > now + near)
        ahead = tuple(s for s in dict.fromkeys(steps) if s > now + near)
        due = max(level.epoch, epoch)
        if not ahead or (level.epoch <= behind and level is not job.course.levels[-1]):
            continue
        if found and found[-1].epoch == due:
            found.pop()
        found.append(Level(due, ahead))
    return tuple(found)
