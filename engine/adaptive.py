"""Adaptive steps: one that broke its promise is undone and taken in two halves."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.checks import Change, Promises, exceeds
from engine.events import Halved
from engine.monitor import Monitor
from engine.problem import Problem
from engine.prune import Cut
from engine.schedules.base import MOST, Level, Schedule
from engine.sharing.processes import Ranks
from engine.words.units import percent

SURE = 2.0  # standard errors that the measured change may be too large by


class Adaptive:
    """Judges every step on the calibration images of the checks, before it counts.

    A step breaks its promise when the measured loss change, less `SURE` standard
    errors, exceeds `schedule.adaptive` times the larger of the predicted ones, and
    `checks.WORTH`. Its weights are put back then, and it is taken as two steps, up to
    `MOST` times over. A stop before the judgement puts them back, too, so that a
    resumed run judges as well.

    Args:
        schedule: Gives the factor, and where half a step ends.
        promises: Measures.
        monitor: Hears of every judgement.
        ranks: The processes, which all follow the first one's.

    Attributes:
        halved: What was told of every step that was halved, for the summary.
    """

    def __init__(
        self, schedule: Schedule, promises: Promises, monitor: Monitor, ranks: Ranks
    ) -> None:
        self._schedule, self._promises = schedule, promises
        self._monitor, self._ranks = monitor, ranks
        self.halved: list[dict[str, Any]] = []

    def attempt(
        self,
        take: Callable[[], tuple[Cut, Problem]],
        weights: dict[str, Tensor],
        level: Level,
        at: int,
        number: int,
        start: float,
    ) -> tuple[Cut, Problem] | Level:
        """Take a step: what it did if it stands, else the level with halves for it.

        Args:
            take: Takes the step; changes nothing but `weights`.
            weights: Of the prunable layers.
            level: Of the schedule.
            at: Which of its steps to take.
            number: Of the step in the run, from 1.
            start: Where the step begins, as the allocation counts it.
        """
        if not self._schedule.adaptive:
            return take()
        before = {name: weight.detach().clone() for name, weight in weights.items()}
        cut, problem = take()
        try:
            change = self._promises.measured()["calibration"]
            event = self._ranks.told(
                lambda: self._judge(cut, change, level, at, number, start)
            )
        except BaseException:
            _put_back(weights, before)
            raise
        if event is None:
            return cut, problem
        _put_back(weights, before)
        self._promises.undone()
        return self._halve(event, level, at)

    def _judge(
        self, cut: Cut, change: Change, level: Level, at: int, number: int, start: float
    ) -> Halved | None:
        """What to tell if the step has to be halved."""
        factor, end = self._schedule.adaptive, level.steps[at]
        predicted = _promised(cut)
        if predicted is None:
            if number == 1:
                self._monitor.notice(
                    "The method predicts no loss, so no step can be halved.",
                    "Choose a method that does, or set schedule.adaptive to 0.",
                )
            return None
        if not broken(predicted, change, factor):
            return None
        if level.depth(at) == MOST:
            self._monitor.notice(
                f"Prune {number} changed the loss by {change.mean:.3g} instead of "
                f"{predicted:.3g} and was kept: a step is halved {MOST} times at most.",
                "Raise schedule.adaptive or plan more steps per prune.",
            )
            return None
        middle = self._schedule.middle(start, end)
        found = cut.predicted, cut.predicted_joint, change.mean, change.error
        return Halved(number, start, middle, end, *found, level.depth(at) + 1)

    def _halve(self, event: Halved, level: Level, at: int) -> Level:
        self._monitor.emit(event)
        promised = _promised(event)
        self._monitor.notice(
            f"Prune {event.step} to {percent(event.end, 2)} changed the loss by "
            f"{event.calibration:.3g} instead of {promised:.3g}. It was undone and "
            f"is taken in two steps, the first to {percent(event.middle, 2)}.",
            level="info",
        )
        told = dataclasses.asdict(event)
        del told["time"]
        self.halved.append(told)
        return level.halved(at, event.middle)


def broken(predicted: float, change: Change, factor: float) -> bool:
    """Whether a change exceeds the predicted by more than a factor and noise."""
    if not math.isfinite(change.mean):
        return True
    if change.error is None:
        return False
    return exceeds(change.mean - SURE * change.error, predicted, factor)


def _promised(told: Cut | Halved) -> float | None:
    """The larger prediction: whatever is above it is above both."""
    known = (told.predicted, told.predicted_joint)
    return max((each for each in known if each is not None), default=None)


@torch.no_grad()
def _put_back(weights: dict[str, Tensor], before: dict[str, Tensor]) -> None:
    for name, weight in weights.items():
        weight.copy_(before[name])
