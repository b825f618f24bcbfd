"""Scoring a recipe's network without pruning it or writing anything."""

from collections.abc import Callable
from dataclasses import replace

from engine.events import Event, Fitted
from engine.job import Job
from engine.looking.look import look
from engine.monitor import Control, Monitor
from engine.problem import Problem
from engine.prune import fitted
from engine.recipe import Recipe
from engine.steering.study import Study, study_of
from engine.thrift import thrifty


def score(
    recipe: Recipe,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Study | None:
    """Fit the recipe's estimator to its network as it comes; see `look`.

    Args:
        recipe: What would be run.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The saliencies, or None when it was stopped.

    Raises:
        EngineError: The recipe cannot run; after `LookEnded`.
    """
    kept: list[Study] = []

    def work(monitor: Monitor) -> tuple[Study, str]:
        job = Job(recipe, monitor, trust)
        _score(job, monitor)
        study = replace(kept[-1], classes=job.data.spec.classes)
        weights = sum(each.size for each in study.ranking.layers.values())
        return study, f"Scored {weights:,} weights; nothing was pruned."

    return look("Scoring", recipe, work, emit, control, kept.append)


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

    thrifty(job.problem, recipe.estimator, None, monitor, work)
