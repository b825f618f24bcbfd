"""Promises checked: the loss change that a prune step predicts beside the measured."""

import math
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from engine.data.base import Data
from engine.evaluate import by_image
from engine.events import Checked
from engine.monitor import Monitor
from engine.problem import Problem, draw
from engine.prune import Cut
from engine.recipe import Recipe
from engine.sharing.processes import Ranks

Losses = dict[str, Tensor]  # of every image, by data: calibration, held_out
FACTOR = 10  # between measured and predicted that a quadratic model does not explain
WORTH = 0.1  # nats: the right classes have become a tenth less likely


def broken(promise: dict[str, float | None]) -> bool:
    """Whether a prune cost far more than was predicted, and enough to matter.

    At low sparsity predictions may be far off and the change next to nothing, so the
    factor alone tells little.

    Args:
        promise: As `summary.json` has it: sum, joint and calibration.
    """
    known = (promise["sum"], promise["joint"])
    predicted = max((p for p in known if p is not None), default=None)
    measured = promise.get("calibration")
    if predicted is None or measured is None:
        return False
    return exceeds(measured, predicted, FACTOR)


def exceeds(measured: float, predicted: float, factor: float) -> bool:
    """Whether a loss change is far above the predicted one, and matters."""
    return measured > max(factor * predicted, WORTH)


def tell_broken(promises: list[dict[str, float | None]], monitor: Monitor) -> None:
    """Notice once a run, after the last of these prunes, that predictions fail."""
    *earlier, last = promises
    if broken(last) and not any(map(broken, earlier)):
        monitor.notice(
            f"Prune {last['step']} raised the loss far more than was predicted.",
            "Prune in more steps (schedule.recomputations), have steps halved "
            "(schedule.adaptive), or raise the damping (estimator.damping).",
            level="info",
        )


@dataclass(frozen=True)
class Change:
    """A measured loss change, and its standard error (None for a single image).

    The error follows from how much the images differ in their change, so it is far
    below that of either loss.
    """

    mean: float
    error: float | None


class Promises:
    """Measures the loss around every prune step, where nothing else changes it.

    Calibration images are the first that the first step's gradients are taken on;
    held-out ones come from the validation split, if there is one.

    Args:
        problem: The network and its loss.
        data: All splits.
        recipe: Gives the number of images, the seed and the batch.
        monitor: Hears of every check.
        ranks: The processes that share the work.
    """

    def __init__(
        self,
        problem: Problem,
        data: Data,
        recipe: Recipe,
        monitor: Monitor,
        ranks: Ranks,
    ) -> None:
        images, seed = recipe.checks.images, recipe.machine.seed
        self._monitor = monitor
        self._each = partial(
            by_image,
            problem.model,
            loss=problem.loss,
            batch=recipe.machine.batch,
            monitor=monitor,
            label="Checking the prediction",
            ranks=ranks,
        )
        splits = {"calibration": data.train, "held_out": data.validation}
        self._few = {}
        for name, split in splits.items():
            count = min(images, len(split))
            if count:
                order = draw(len(split), count, 1, seed, Monitor()).reshape(-1)
                self._few[name] = split.subset(order)
        self._now: Losses | None = None
        self._after: Losses | None = None

    def look(self) -> None:
        """Measure the network as it is, unless that is known."""
        if self._now is None:
            self._now = self._losses()

    def forget(self) -> None:
        """The network was changed by something else than a prune."""
        self._now = self._after = None

    def measured(self) -> dict[str, Change]:
        """The changes by data since the last `look`, or check, measured once."""
        if self._after is None:
            self._after = self._losses()
        before = self._now or {}
        return {
            name: change_between(before[name], losses)
            for name, losses in self._after.items()
        }

    def undone(self) -> None:
        """The network is again as it was looked at."""
        self._after = None

    def check(self, step: int, cut: Cut) -> dict[str, float | None]:
        """Tell of the changes, and return them as `summary.json` has them."""
        told: dict[str, float | None] = {}
        for name, change in self.measured().items():
            told |= {name: change.mean, f"{name}_error": change.error}
        self._now, self._after = self._after, None
        if told:
            found = {"calibration": None, "held_out": None} | told
            checked = Checked(step, cut.predicted, cut.predicted_joint, **found)
            self._monitor.emit(checked)
        return told

    def _losses(self) -> Losses:
        if not self._few:
            return {}
        with self._monitor.phase("evaluate"):
            return {name: self._each(few)[:, 0] for name, few in self._few.items()}


def change_between(before: Tensor, after: Tensor) -> Change:
    """Of the mean of losses (images,) of the same images."""
    change = after - before
    error = float(change.std()) / math.sqrt(len(change)) if len(change) > 1 else None
    return Change(float(change.mean()), error)
