"""Damping study: what every damping would do, asked after one look at the curvature."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.allocation.base import Allocation
from engine.estimators import ESTIMATORS
from engine.estimators.base import Estimator, ObsEstimator
from engine.looking.agreement import overlap, rank_agreement, ranks
from engine.looking.sample import Sample
from engine.part import title_of

LEAST = 1e-30  # of damping: below, single precision has no inverse
NEAR = 1.05  # times the least loss is about the least


def answering() -> tuple[str, ...]:
    """Titles of the methods whose damping can be looked at."""
    return tuple(title_of(kind) for kind in ESTIMATORS if _answers(kind))


def refusal(method: Estimator) -> str:
    """Why the damping of a method cannot be looked at; empty where it can."""
    if _answers(type(method)):
        return ""
    title, others = title_of(type(method)), " and ".join(answering())
    if isinstance(method, ObsEstimator):
        why = f"The Newton step of {title} is measured anew for every damping."
    elif hasattr(method, "damping"):
        why = f"The damping of {title} is not added to a Fisher of single gradients."
    else:
        why = f"{title} has no damping."
    return f"{why} Choose a method that adds damping to its gradients: {others}."


@dataclass(frozen=True, eq=False)
class BlockSample:
    """A block's `Spectrum` as plain numbers: values (r,), squares (r, m), rest (m,)."""

    values: np.ndarray
    squares: np.ndarray
    rest: np.ndarray

    def diag(self, damping: float) -> np.ndarray:
        """Diagonal of the inverse (m,) float64."""
        damping = max(damping, LEAST)
        shares = (1 / (damping + self.values)).astype(self.squares.dtype)
        return (shares @ self.squares).astype(float) + self.rest / damping


@dataclass(frozen=True)
class DampingPoint:
    """What one damping would do, all of it foretold.

    Attributes:
        damping: In question.
        ratio: To the mean diagonal of F; infinite where all gradients are zero.
        ranks: Spearman's correlation of the saliencies with those of the reference.
        overlap: Jaccard overlap of what the target removes, likewise.
        predicted: Loss increase as the sum of the saliencies that go.
        left_out: The same removals by gradients that took no part in them, see
            `Spectrum.left_out`.
    """

    damping: float
    ratio: float
    ranks: float
    overlap: float
    predicted: float
    left_out: float


@dataclass(frozen=True)
class Advice:
    """A suggested value and why; `value` is the present one where that is as good."""

    value: float
    reason: str


@dataclass(frozen=True, eq=False)
class DampingStudy:
    """What a look at damping leaves, in numbers; it answers without the network.

    Attributes:
        damping, samples, batch: Of the recipe that was looked at.
        images: Training images there are.
        mean: Diagonal of F without damping, over the blocks that were looked at.
        sample: The weights, `weights` (m,) their values, `blocks` their spectra.
        few: (k,) those of them on which the costly questions are asked, `fewer` as a
            sample of its own.
        grid: (g,) dampings, rising, for which losses by gradients left out are known.
        left_out: Those (g, k).
        parts: Numbers of gradients, rising, the last one all; `part_scores`
            (parts, k) are saliencies from so many at `damping`.
        drawn: Saliencies (draws, k) from bootstrap samples of the gradients.
        dropped: Blocks of curvature that were not looked at.
    """

    damping: float
    samples: int
    batch: int
    images: int
    mean: float
    sample: Sample
    weights: np.ndarray
    blocks: tuple[BlockSample, ...]
    few: np.ndarray
    fewer: Sample
    grid: np.ndarray
    left_out: np.ndarray
    parts: tuple[int, ...]
    part_scores: np.ndarray
    drawn: np.ndarray
    dropped: int

    def scores(self, damping: float) -> np.ndarray:
        """Saliencies (m,) w^2 / (2 diag F^-1) at any damping."""
        diag = np.concatenate([block.diag(damping) for block in self.blocks])
        return np.square(self.weights) / (2 * diag)

    def losses_left_out(self, damping: float) -> np.ndarray:
        """Losses (k,) by gradients left out, between those of the grid by powers."""
        at = np.interp(np.log(damping), np.log(self.grid), np.arange(len(self.grid)))
        low = min(int(at), len(self.grid) - 2)
        pair = np.log(np.maximum(self.left_out[low : low + 2], 1e-300))
        return np.exp(pair[0] + (at - low) * (pair[1] - pair[0]))


class Reference:
    """Compares dampings with one, at one target.

    Args:
        study: Knows the saliencies.
        damping: To compare with.
        allocation: How much goes, and where.

    Raises:
        InputError: A floor is above a ceiling.
    """

    def __init__(
        self, study: DampingStudy, damping: float, allocation: Allocation
    ) -> None:
        self.study, self.damping, self.allocation = study, damping, allocation
        scores = study.scores(damping)
        self._ranks = ranks(scores)
        self._removed = study.sample.removed(scores, allocation)

    def at(self, damping: float) -> DampingPoint:
        """What this damping would do; some milliseconds."""
        study = self.study
        scores = study.scores(damping)
        gone = study.sample.removed(scores, self.allocation)
        losses = study.losses_left_out(damping) * gone[study.few]
        return DampingPoint(
            damping,
            damping / study.mean if study.mean else float("inf"),
            rank_agreement(self._ranks, ranks(scores)),
            overlap(self._removed, gone),
            study.sample.total(scores * gone),
            study.fewer.total(losses),
        )


def suggested(
    points: Iterable[DampingPoint], now: DampingPoint, compensation: str
) -> Advice | None:
    """The largest damping whose removals cost about the least by gradients left out.

    The less damping there is, the less loss saliencies predict, true or not: N
    gradients say nothing of most directions. What removing a weight and compensating by
    all gradients but one costs by that one is an honest price, so this is how ridge
    regression's penalty is chosen by cross-validation, with the most cautious of about
    equal ones. The damping of the recipe stays if it is about equal itself.

    Weights are removed one by one here, so it says nothing of exact joint compensation,
    which has more freedom to fit few gradients and wants more damping.

    Args:
        points: Over the dampings to choose from.
        now: Of the recipe's.
        compensation: Of the recipe's method.

    Returns:
        None for joint compensation.
    """
    if compensation == "joint":
        return None
    points = list(points)
    least = min(each.left_out for each in points)
    if now.left_out <= NEAR * least:
        price = f"{100 * (NEAR - 1):.0f} %"
        return Advice(
            now.damping,
            f"by gradients left out, its removals cost within {price} of the least",
        )
    chosen = max(each.damping for each in points if each.left_out <= NEAR * least)
    more = f"{100 * (now.left_out / least - 1):.0f} % more" if least else "more"
    return Advice(
        float(f"{chosen:.2g}"),
        f"by gradients left out, removals at {now.damping:.2g} cost {more} than the "
        "least",
    )


def _answers(kind: type[Estimator]) -> bool:
    return issubclass(kind, ObsEstimator) and not kind.newton_solves
