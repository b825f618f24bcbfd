"""One prune step: fit, score, choose, correct, cut."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine import masks
from engine.allocation.base import Allocation
from engine.curvature.base import Curvature, Losses
from engine.curvature.stability import stability
from engine.errors import RunError
from engine.events import Fitted, Pruned, Resampled, Scored
from engine.facts import (
    LayerCurvature,
    LayerPromise,
    LayerStability,
    damping_ratio,
    raised_share,
)
from engine.fits import Fits
from engine.histograms import histograms
from engine.layers import layer_states
from engine.masks import Masks
from engine.monitor import Monitor
from engine.patterns.base import Choice
from engine.problem import Learned, Problem
from engine.recipe import Recipe
from engine.seeds import of_step
from engine.sharing.shared import SharedCurvature
from engine.steering.study import study_of
from engine.words.units import percent


@dataclass(frozen=True)
class Cut:
    """What a prune step did.

    Attributes:
        masks: Kept weights now.
        removed: Weights that went in this step.
        thresholds: Least kept saliency per layer.
        predicted: Loss increase as the sum of saliencies; None if unknown.
        predicted_joint: The same for the exact joint removal per block.
        losses: Both by layer.
        learned: What the estimator hands to the next step.
        facts: What the curvature rests on.
    """

    masks: Masks
    removed: Masks
    thresholds: dict[str, float | None]
    predicted: float | None
    predicted_joint: float | None
    losses: Losses
    learned: Learned
    facts: tuple[LayerCurvature, ...]

    def told(self, number: int, steps: int, position: float, parameters: int) -> Pruned:
        """The event of it: step `number` of `steps`, after `position` epochs."""
        zeros = masks.zeros(self.masks)
        return Pruned(
            number,
            steps,
            position,
            masks.sparsity(self.masks),
            zeros / parameters,
            zeros,
            layer_states(self.masks, self.thresholds),
            self.predicted,
            self.predicted_joint,
            final=number == steps,
            promises=self._promises(),
        )

    def promise(self, step: int) -> dict[str, float | None]:
        """What `summary.json` tells of it: predictions, and what they rest on.

        `damping_ratio` is the damping relative to the mean diagonal of F, `raised` the
        share of blocks where it had to grow.
        """
        found = {"step": step, "sum": self.predicted, "joint": self.predicted_joint}
        if not self.facts:
            return found
        return found | {
            "damping_ratio": damping_ratio(self.facts),
            "raised": raised_share(self.facts),
        }

    def _promises(self) -> tuple[LayerPromise, ...]:
        return tuple(
            LayerPromise(name, int(self.removed[name].sum()), *losses)
            for name, losses in self.losses.items()
        )


def prune_once(
    problem: Problem,
    before: Masks,
    recipe: Recipe,
    level: float,
    number: int,
    uses: dict[str, float],
    monitor: Monitor,
    fits: Fits | None = None,
) -> Cut:
    """Bring the network to `level`; its weights change in place, all at the end.

    Args:
        problem: The network and its calibration images.
        before: Kept weights so far.
        recipe: Estimator, pattern and allocation to use.
        level: Where the step ends, as the allocation counts it.
        number: Of this step, from 0; it varies the calibration samples.
        uses: Multiply-accumulates per weight of each layer, for one image.
        monitor: Phases, notices and the histograms.
        fits: Keeps the curvature for runs that differ in `level` alone.

    Raises:
        RunError: Saliencies or corrections are not finite, or processes disagree.
        Stopped: A stop was asked for; nothing was changed.
    """
    curvature, learned = fitted(problem, before, recipe, number, monitor, fits)
    facts = curvature.facts()
    if facts:
        monitor.emit(Fitted(number + 1, facts))
    with monitor.phase("selection"):
        weights = problem.weights()
        choice = recipe.pattern.choose(
            curvature, weights, before, recipe.allocation, level, uses
        )
        for note in choice.notes:
            monitor.notice(note)
        if recipe.allocation.of != "weights":
            _tell_reached(recipe.allocation, choice, level, uses, monitor)
        if recipe.checks.bootstrap:  # wished for, be there any or not
            asked = (curvature, weights, before, recipe.allocation, level, uses)
            stable = stability(*asked, monitor) if problem.bootstrap else ()
            _tell_stability(number + 1, problem.bootstrap, stable, monitor)
        bars = histograms(choice.scores, before, choice.masks, choice.thresholds)
        monitor.emit(Scored(number + 1, bars))
        if monitor.watch and number == 0:
            asked = (problem, curvature, before, choice.units, uses)
            monitor.watch(study_of(*asked))
        removed = masks.removed_between(before, choice.masks)
        removal = curvature.removal(weights, removed, choice.sets)
        problem.ranks.ensure_same("masks", lambda: masks.digest(choice.masks))
        _cut(weights, choice.masks, removal.corrections)
    told = (choice.thresholds, *removal.predicted, removal.layers, learned, facts)
    return Cut(choice.masks, removed, *told)


def fitted(
    problem: Problem,
    before: Masks,
    recipe: Recipe,
    number: int,
    monitor: Monitor,
    fits: Fits | None = None,
) -> tuple[Curvature, Learned]:
    """The curvature of step `number` from 0, and what it hands to the next step."""
    seed = of_step(recipe.machine.seed, number)
    if fits:
        curvature = fits.fit(problem, before, recipe, monitor, seed)
    else:
        curvature = recipe.estimator.fit(problem, before, monitor, seed)
    learned = recipe.estimator.learned(curvature)
    if problem.ranks.size > 1:
        held = problem.holders()
        curvature = SharedCurvature(curvature, held, problem.ranks, monitor)
    return curvature, learned


def _tell_stability(
    step: int, draws: int, layers: tuple[LayerStability, ...], monitor: Monitor
) -> None:
    if layers:
        monitor.emit(Resampled(step, draws, layers))
    else:
        monitor.notice(
            "No bootstrap samples were taken: they need a block Fisher, independent "
            "saliencies of single weights and one process.",
            "Set checks.bootstrap to 0 to silence this.",
        )


def _tell_reached(
    allocation: Allocation,
    choice: Choice,
    level: float,
    uses: dict[str, float],
    monitor: Monitor,
) -> None:
    """What an allocation that does not count weights has come to."""
    reached = allocation.progress(choice.masks, uses)
    short = reached < level - 1e-9
    monitor.notice(
        f"{percent(reached, 3)} of the prunable layers' {allocation.of} are gone"
        + (f" instead of {percent(level, 3)}." if short else ", as planned."),
        level="warning" if short else "info",
    )


@torch.no_grad()
def _cut(
    weights: dict[str, Tensor], kept: Masks, correction: dict[str, Tensor]
) -> None:
    """All that can fail comes before the first weight changes."""
    for name, delta in correction.items():
        if not bool(torch.isfinite(delta).all()):
            raise RunError(
                f"The correction of {name} is not finite.",
                "Raise estimator.damping or set estimator.compensation to none.",
            )
    for name, delta in correction.items():
        after = weights[name] + delta.to(weights[name].dtype)
        correction[name] = after.masked_fill_(~kept[name], 0)
    for name, after in correction.items():
        weights[name].copy_(after)
