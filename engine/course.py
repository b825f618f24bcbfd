"""Course: the prunes of a run, those done and those to come."""

from dataclasses import astuple, replace
from typing import Any

from engine.errors import InputError
from engine.levels import levels, reachable
from engine.masks import Masks
from engine.monitor import Monitor
from engine.recipe import Recipe
from engine.schedules.base import Level


class Course:
    """Where a run is in its schedule; what is ahead may be planned anew.

    Args:
        recipe: Pattern, target and schedule.
        masks: Kept weights before the first prune.
        uses: Multiply-accumulates per weight of each layer, for one image.
        monitor: Hears what to know about the plan.

    Attributes:
        levels: The prunes, done and planned.
        level, step: The prune and sub-step that come next.
    """

    def __init__(
        self, recipe: Recipe, masks: Masks, uses: dict[str, float], monitor: Monitor
    ) -> None:
        self._begin, self._uses = recipe.allocation.progress(masks, uses), uses
        self._monitor = monitor
        self.levels, notes = levels(recipe, masks, uses)
        self._tell(notes)
        self.level = self.step = 0

    @property
    def over(self) -> bool:
        """Whether all prunes are done."""
        return self.level == len(self.levels)

    @property
    def next(self) -> Level:
        """The prune under way, or the next one."""
        return self.levels[self.level]

    @property
    def done(self) -> int:
        """Steps taken."""
        return sum(len(level.steps) for level in self.levels[: self.level]) + self.step

    @property
    def steps(self) -> int:
        """Steps in all."""
        return sum(len(level.steps) for level in self.levels)

    def advance(self) -> None:
        """A step is done; a level ends with its last."""
        self.step += 1
        if self.step == len(self.next.steps):
            self.level, self.step = self.level + 1, 0

    def halve(self, halved: Level) -> None:
        """The level under way has two steps for one."""
        at = self.level
        self.levels = (*self.levels[:at], halved, *self.levels[at + 1 :])

    def replan(self, recipe: Recipe, masks: Masks, now: int) -> None:
        """Plan what is to come by another target or schedule.

        A level under way ends where it stands, and its other steps are planned anew.

        Args:
            recipe: As it is from now on.
            masks: Kept weights by now.
            now: Epochs of fine-tuning done.

        Raises:
            InputError: It does not fit what is done; nothing was changed.
        """
        if self.over:
            raise InputError(
                "All prunes are done, so target and schedule cannot change any more.",
                "Change the fine-tuning, or start another run.",
            )
        recipe.allocation.check(masks, self._uses)
        target, notes = reachable(recipe, masks, self._uses)
        begin = min(self._begin, target)
        planned = recipe.schedule.levels(target, recipe.finetune.epochs, begin)
        past, left = self.levels[: self.level], 0
        if self.step:
            begun, end = self.next, self.step
            cut = replace(begun, steps=begun.steps[:end], depths=begun.depths[:end])
            past, left = (*past, cut), len(begun.steps) - end
        last = past[-1].epoch if past else -1
        reached = recipe.allocation.progress(masks, self._uses)
        ahead = recipe.schedule.onward(planned, now, last, reached, left)
        self.levels, self.level, self.step = (*past, *ahead), len(past), 0
        self._tell(notes)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as plain values."""
        levels = [astuple(level) for level in self.levels]
        return {"levels": levels, "level": self.level, "step": self.step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        if "levels" in state:
            self.levels = tuple(Level(*level) for level in state["levels"])
        self.level, self.step = state["level"], state["step"]

    def _tell(self, notes: tuple[str, ...]) -> None:
        for note in notes:
            if note not in self._monitor.notices:
                self._monitor.notice(note, level="info")
