"""A look at damping and samples: one collection of gradients answers all of both."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from engine.estimators.mfac import WHOLE, join
from engine.events import Event
from engine.job import Job
from engine.looking.damping import DampingStudy, refusal
from engine.looking.look import look
from engine.looking.sampling import draw_weights, sample_of, some_of
from engine.looking.take_apart import Asked, Gradients, mean_diagonal, take_apart
from engine.monitor import Control, Monitor
from engine.problem import Problem
from engine.recipe import Recipe
from engine.thrift import thrifty

MOST = 20_000  # weights that are looked at
FEW = 4000  # of them for what takes N^2 operations each
NUMBERS = 2**25  # of spectra, that are kept at most
WORK = 2e11  # multiply-accumulates for losses by gradients left out, at most
PARTS = (8, 4, 2, 1)  # fractions of the gradients
DRAWS = 8  # bootstrap samples
DECADES = (-5, 3)  # of damping around the mean diagonal of F that are looked at
LEAST, LARGEST = -30.0, 6.0  # log10 of what a recipe takes
PER_DECADE = 3


def study_damping(
    recipe: Recipe,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> DampingStudy | None:
    """Collect the gradients of the recipe's method and take its blocks apart.

    Args:
        recipe: Its method has no `refusal`.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        What answers every damping, or None when it was stopped.

    Raises:
        EngineError: The recipe cannot run, or its method has no such damping; after
            `LookEnded`.
    """

    def work(monitor: Monitor) -> tuple[DampingStudy, str]:
        why = refusal(recipe.estimator)
        if why:
            raise InputError(why, "Set estimator.kind.")
        job = Job(recipe, monitor, trust)
        if getattr(recipe.estimator, "order", "") == "greedy":
            monitor.notice(
                "Damping is looked at for saliencies of single weights, not in the "
                "order of greedy elimination.",
                level="info",
            )
        study, _ = thrifty(
            job.problem, recipe.estimator, None, monitor,
            lambda problem: _study(problem, job, monitor),
        )  # fmt: skip
        return study, f"Looked at {len(study.weights):,} weights at every damping."

    return look("Looking at damping", recipe, work, emit, control)


def _study(problem: Problem, job: Job, monitor: Monitor) -> DampingStudy:
    method, seed = job.settled.estimator, job.settled.machine.seed
    with monitor.phase("gradients"):
        rows = problem.gradients(
            method.samples, method.batch, seed, job.masks, monitor, method.fisher
        )
    with monitor.phase("curvature"):
        whole = WHOLE if method.joins_layers else ""
        if whole:
            rows = {whole: join(rows, job.masks)}
        gradients = Gradients(rows)
        most = min(MOST, NUMBERS // gradients.count)
        drawn = draw_weights(job.masks, whole, method.cut, most, seed)
        positions = drawn.positions
        mean = mean_diagonal(gradients, drawn.pieces, monitor)
        grid = _grid(mean, method.damping)
        few = some_of(positions, _few(gradients.count, len(grid), most))
        parts, counts = _parts(gradients.count)
        draws = replace(problem, bootstrap=DRAWS).draws(rows, seed)
        if draws is not None:
            counts = torch.cat([counts, draws.cpu().double().square().round()])
        weights = _values(problem, positions)
        asked = Asked(weights, few, method.damping, grid, counts)
        blocks, left_out, diags = take_apart(gradients, drawn.pieces, asked, monitor)
    values = weights.cpu().numpy()
    scores = np.square(values[few.numpy()]) / (2 * diags)
    return DampingStudy(
        method.damping, gradients.count, method.batch, len(problem.train), mean,
        sample_of(problem, job.masks, job.uses, positions), values, blocks,
        few.nonzero().squeeze(1).numpy(),
        sample_of(problem, job.masks, job.uses, positions, few), grid, left_out,
        parts, scores[: len(parts)], scores[len(parts) :], drawn.blocks - len(blocks),
    )  # fmt: skip


def _values(problem: Problem, positions: dict[str, Tensor]) -> Tensor:
    """The weights (m,) float64."""
    weights = problem.weights()
    parts = [
        weights[n].reshape(-1)[at.to(weights[n].device)] for n, at in positions.items()
    ]
    return torch.cat(parts).double()


def _grid(mean: float, damping: float) -> np.ndarray:
    """Dampings around the mean diagonal of F, and around the recipe's."""
    own = np.log10(damping)
    scale = np.log10(mean) if mean else own
    low = max(np.floor(min(scale + DECADES[0], own - 1)), LEAST)
    high = min(np.ceil(max(scale + DECADES[1], own + 1)), LARGEST)
    return np.logspace(low, high, round((high - low) * PER_DECADE) + 1)


def _few(count: int, dampings: int, most: int) -> float:
    """Which share of the weights is asked what is costly."""
    affordable = max(WORK / (dampings * count**2), 100)
    return min(affordable, FEW) / most


def _parts(count: int) -> tuple[tuple[int, ...], Tensor]:
    """How many gradients the parts have, and how often each comes (parts, N)."""
    parts = tuple(sorted({max(count // part, 1) for part in PARTS}))
    counts = torch.zeros(len(parts), count, dtype=torch.float64)
    for row, part in zip(counts, parts, strict=True):
        row[:part] = count / part
    return parts, counts
