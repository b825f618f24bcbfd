"""Scoring a recipe's network without pruning it or writing anything."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine import machine
from engine.errors import Stopped
from engine.events import Event, Fitted
from engine.job import Job
from engine.monitor import Control, Monitor
from engine.problem import Problem
from engine.prune import fitted
from engine.recipe import Recipe
from engine.steering.events import ScoringEnded, ScoringStarted
from engine.steering.study import Study, study_of
from engine.thrift import thrifty


def score(
    recipe: Recipe,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Study | None:
    """Fit the recipe's estimator to its network as it comes, in one process.

    Args:
        recipe: What would be run.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The saliencies, or None when it was stopped.

    Raises:
        EngineError: The recipe cannot run; after `ScoringEnded`.
    """
    device = machine.pick_device(recipe.machine)
    kept: list[Study] = []  # its memory counts as that of a run that is watched
    memory = partial(machine.memory_used, device)
    monitor = Monitor(emit, control, memory, watch=kept.append)
    told = "The network could not be scored."
    with machine.threads(recipe.machine):
        monitor.emit(ScoringStarted(machine.describe(device)))
        try:
            _score(Job(recipe, monitor, trust), monitor)
            study = kept[-1]
            weights = sum(each.size for each in study.ranking.layers.values())
            told = f"Scored {weights:,} weights; nothing was pruned."
            return study
        except Stopped:
            told = "Stopped before the network was scored."
            return None
        finally:
            monitor.emit(ScoringEnded(told))


def _score(job: Job, monitor: Monitor) -> None:
    recipe = job.settled

    def work(problem: Problem) -> None:
        curvature, _ = fitted(problem, job.masks, recipe, 0, monitor)
        facts = curvature.facts()
        if facts:
            monitor.emit(Fitted(1, facts))
        with monitor.phase("selection"):
            weights = problem.weights()
            units = recipe.pattern.units(curvature, weights, job.masks)
            monitor.watch(study_of(problem, curvature, job.masks, units, job.uses))

    folder = Path(tempfile.gettempdir())
    thrifty(job.problem, recipe.estimator, folder, monitor, work)
