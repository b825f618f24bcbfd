"""Stability: would other gradients have removed the same weights?"""

from torch import Tensor

from engine.allocation.base import Allocation
from engine.curvature.base import Curvature
from engine.estimators.base import Uncompensated
from engine.facts import LayerStability
from engine.masks import Masks, removed_between
from engine.monitor import Monitor
from engine.patterns import Unstructured

Tensors = dict[str, Tensor]


class DrawnScores(Uncompensated):
    """Saliencies by the curvature of one bootstrap sample."""

    def __init__(self, scores: Tensors) -> None:
        self._scores = scores

    def scores(self, weights: Tensors) -> Tensors:
        """As they were handed over."""
        return self._scores


def stability(
    curvature: Curvature,
    weights: Tensors,
    before: Masks,
    allocation: Allocation,
    level: float,
    uses: dict[str, float],
    monitor: Monitor,
) -> tuple[LayerStability, ...]:
    """How far bootstrap samples of the gradients agree with what all of them remove.

    The overlap of two removed sets is their intersection over their union (Jaccard), 1
    where both are empty; single weights are compared, by one threshold as the
    allocation has it.

    Args:
        curvature: Fitted with bootstrap samples.
        weights: As they are now.
        before: Kept weights so far.
        allocation: Tells how much goes where.
        level: Where the step ends.
        uses: Multiply-accumulates per weight of each layer, for one image.
        monitor: Checked before each sample.
    """

    def removed(scores: Tensors) -> Masks:
        asked = (DrawnScores(scores), weights, before, allocation, level, uses)
        return removed_between(before, Unstructured().choose(*asked).masks)

    wanted = removed(curvature.scores(weights))
    shares: dict[str, list[float]] = {name: [] for name in weights}
    for scores in curvature.resampled(weights):
        monitor.check()
        for name, found in removed(scores).items():
            union = int((found | wanted[name]).sum())
            both = int((found & wanted[name]).sum())
            shares[name].append(both / union if union else 1.0)
    return tuple(
        LayerStability(name, sum(each) / len(each), min(each))
        for name, each in shares.items()
        if each
    )
