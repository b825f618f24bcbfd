"""Fits: the last fitted curvature, for cells that differ in their sparsity alone."""

from dataclasses import dataclass
from typing import Any

from engine import masks
from engine.curvature.base import Curvature
from engine.evaluate import fingerprint
from engine.events import Noticed
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Problem
from engine.recipe import Recipe


@dataclass(frozen=True)
class Kept:
    """A curvature, and what a run needs to take it over.

    Attributes:
        key: Of all that the fit saw.
        voice: Through which it speaks.
        told: What the fit noticed.
    """

    key: str
    curvature: Curvature
    voice: "Voice"
    told: list[Noticed]


class Fits:
    """Keeps one curvature, so that a one-shot method is fitted once for all sparsities.

    Every cell comes out as it would alone: what is kept is what it would have fitted.
    """

    def __init__(self) -> None:
        self._owner: object = None
        self._kept: Kept | None = None

    def serve(self, owner: object) -> None:
        """Make room, unless the next run is of the same owner as the last."""
        if owner != self._owner:
            self._owner, self._kept = owner, None

    def fit(
        self,
        problem: Problem,
        before: Masks,
        recipe: Recipe,
        monitor: Monitor,
        seed: int,
    ) -> Curvature:
        """What `Estimator.fit` gives; known already where nothing it sees has changed.

        It is kept only where the cut ends the run, so that other work has its memory,
        and never on the disk, where gradients go with their run.
        """
        seen = (
            recipe.estimator, recipe.data, recipe.machine, seed, masks.digest(before),
            problem.names, problem.loss, problem.storage, problem.thrift,
            problem.bootstrap,
        )  # fmt: skip
        key = fingerprint(problem.model, *seen)
        if self._kept and self._kept.key == key:
            return _again(self._kept, monitor)
        self._kept, voice, first = None, Voice(monitor), len(monitor.noticed)
        curvature = recipe.estimator.fit(problem, before, voice, seed)
        worth = not monitor.timings.keys().isdisjoint(("gradients", "curvature"))
        lasts = not problem.storage.paged and problem.ranks.size == 1
        if worth and lasts and _ends(recipe):
            self._kept = Kept(key, curvature, voice, monitor.noticed[first:])
        return curvature


def _again(kept: Kept, monitor: Monitor) -> Curvature:
    """It speaks to this run now, which hears what the fit noticed."""
    kept.voice.monitor = monitor
    monitor.notice(
        "The curvature fitted for another sparsity serves this cell too.", level="info"
    )
    for notice in kept.told:
        monitor.notice(notice.message, notice.hint, notice.level)
    return kept.curvature


def _ends(recipe: Recipe) -> bool:
    """Whether nothing is left to do after one cut."""
    mends = recipe.repair.due("every_step") or recipe.repair.due("end")
    steps = recipe.schedule.recomputations > 1 or recipe.schedule.adaptive
    return not (steps or mends or recipe.finetune.epochs)


class Voice:
    """A monitor that can be exchanged, for a curvature that outlives its run."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.monitor, name)
