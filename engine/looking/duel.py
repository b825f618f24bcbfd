"""Duel: two estimators on the same weights, and a probe of what they dispute."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.estimators.base import Estimator
from engine.evaluate import Measure, by_image
from engine.events import Event
from engine.job import Job
from engine.known import Known
from engine.looking.agreement import overlap, rank_agreement, ranks
from engine.looking.bench import draw
from engine.looking.dispute import (
    BEFORE,
    FIRST,
    GOES,
    RIVAL,
    STAYS,
    Duel,
    LayerDispute,
    Probe,
)
from engine.looking.look import look
from engine.masks import Masks, apply, removed_between
from engine.monitor import Control, Monitor
from engine.part import title_of
from engine.problem import Problem
from engine.prune import fitted
from engine.recipe import Recipe, with_changes
from engine.thrift import thrifty

IMAGES = 1000  # most of the mini-batch


@dataclass(frozen=True)
class _Opinion:
    """What a method thinks of the weights: saliencies, and what the target removes."""

    scores: dict[str, Tensor]
    removed: Masks


def duel(
    recipe: Recipe,
    rival: Estimator,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Duel | None:
    """Score a network by two methods, apply the target to both, measure the dispute.

    Both see the same images. The target is made in a single prune from here.

    Args:
        recipe: Names the network, the first method and the target.
        rival: The other method.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        What they dispute, or None when it was stopped.

    Raises:
        InputError: The rival does not go with the recipe, or it cannot run.
        EngineError: The recipe cannot run; after `LookEnded`.
    """

    def work(monitor: Monitor) -> tuple[Duel, str]:
        settings = rival.model_dump(mode="json")
        other = with_changes(
            recipe, {f"estimator.{key}": value for key, value in settings.items()}
        )
        known = Known()
        first = _opinion(Job(recipe, monitor, trust, known=known), monitor)
        job = Job(other, monitor, trust, known=known)
        second = _opinion(job, monitor)
        with monitor.phase("evaluate"):
            probe = _probe(job, first.removed, second.removed, monitor)
        found = _compare(job.masks, first, second, _titles(recipe, other), probe)
        told = f"{found.first} and {found.rival} dispute {found.disputed:,} weights."
        return found, told

    return look("Duel", recipe, work, emit, control)


def _titles(recipe: Recipe, other: Recipe) -> tuple[str, str]:
    first, rival = (title_of(type(each.estimator)) for each in (recipe, other))
    return (first, rival) if first != rival else (first, f"{rival} (rival)")


def _opinion(job: Job, monitor: Monitor) -> _Opinion:
    recipe = job.settled

    def work(problem: Problem) -> _Opinion:
        curvature, _ = fitted(problem, job.masks, recipe, 0, monitor)
        allocation = recipe.allocation
        with monitor.phase("selection"):
            choice = recipe.pattern.choose(
                curvature, problem.weights(), job.masks, allocation,
                allocation.sparsity, job.uses,
            )  # fmt: skip
            for note in choice.notes:
                monitor.notice(note)
            gone = removed_between(job.masks, choice.masks)
            return _Opinion(
                {name: scores.cpu() for name, scores in choice.scores.items()}, gone
            )

    problem = replace(job.problem, bootstrap=0)
    return thrifty(problem, recipe.estimator, None, monitor, work)[0]


def _compare(
    masks: Masks,
    first: _Opinion,
    rival: _Opinion,
    titles: tuple[str, str],
    probe: Probe,
) -> Duel:
    layers, maps, scores = [], {}, ([], [])
    for name, mask in masks.items():
        live = mask.cpu().numpy()
        a, b = (each.removed[name].cpu().numpy() for each in (first, rival))
        own = [each.scores[name].numpy()[live] for each in (first, rival)]
        for every, values in zip(scores, own, strict=True):
            every.append(values)
        layers.append(
            LayerDispute(
                name,
                tuple(mask.shape),
                int(live.sum()),
                int((a & b).sum()),
                int((a & ~b).sum()),
                int((b & ~a).sum()),
                overlap(a, b),
                rank_agreement(*map(ranks, own)),
            )
        )
        codes = np.select([~live, a & b, a, b], [BEFORE, GOES, FIRST, RIVAL], STAYS)
        rows = len(codes) if codes.ndim > 1 else 1
        maps[name] = codes.astype(np.uint8).reshape(rows, -1)
    whole = rank_agreement(*(ranks(np.concatenate(every)) for every in scores))
    return Duel(*titles, tuple(layers), maps, whole, probe)


def _probe(job: Job, first: Masks, rival: Masks, monitor: Monitor) -> Probe:
    """Measure with the agreed weights gone, and either's disputed ones besides."""
    weights = job.problem.weights()
    dense = {name: weight.clone() for name, weight in weights.items()}
    split, source = job.data.probe
    images = split.subset(draw(split, IMAGES, job.recipe.machine.seed))

    def losses(gone: Masks, label: str) -> Tensor:
        apply({name: ~there for name, there in gone.items()}, weights)
        try:
            batch = job.recipe.machine.batch
            return by_image(job.model, images, job.loss, batch, monitor, label)
        finally:
            for name, weight in weights.items():
                weight.copy_(dense[name])

    agreed = {name: first[name] & rival[name] for name in first}
    nothing = {name: torch.zeros_like(gone) for name, gone in first.items()}
    found = {
        "dense": losses(nothing, "Measuring the network"),
        "agreed": losses(agreed, "Measuring what both remove"),
        "first": losses(first, "Measuring what the method removes"),
        "rival": losses(rival, "Measuring what its rival removes"),
    }
    change = found["first"][:, 0] - found["rival"][:, 0]
    count = len(change)
    return Probe(
        **{name: Measure.of(images) for name, images in found.items()},
        change=float(change.mean()),
        error=float(change.std() / count**0.5) if count > 1 else None,
        images=count,
        split=source,
    )
