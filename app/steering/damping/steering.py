"""Damping: what dampings would do by the newest look, and moving the recipe's."""

import time
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

import engine
from app.runner import Runner
from app.workspace import Workspace
from engine import DampingStudy
from engine.errors import InputError
from engine.looking.damping import (
    Advice,
    DampingPoint,
    Reference,
    refusal,
    suggested,
)
from engine.looking.settling import Settling, settling, suggested_samples
from engine.recipe import Recipe, with_changes
from engine.steering.what_if import knows

SLICE = 0.02  # seconds of reckoning between two turns of the window
AGAIN = "Press Look again: "


class DampingSteering(QObject):
    """Owns the study; reckons its curves in slices, so that the window stays quick."""

    changed = Signal()  # anything that is shown

    def __init__(
        self, workspace: Workspace, runner: Runner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._runner = workspace, runner
        self._looked: tuple[Recipe, DampingStudy] | None = None
        self._reference: Reference | None = None
        self._dragged: float | None = None
        self._todo: list[float] = []
        self._watched = False
        self.looking = False
        self.problem = ""  # why there are no curves, or why they are out of date
        self.points: list[DampingPoint] = []
        self.now: DampingPoint | None = None  # of the recipe's damping
        self.shown: DampingPoint | None = None  # of that, or of what is dragged
        self.advice: Advice | None = None  # none for joint compensation
        self.complete = False  # whether all curves are reckoned
        self.settled: Settling | None = None
        self.samples: Advice | None = None
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._reckon)
        workspace.recipe_changed.connect(self._renew)
        workspace.state_changed.connect(self._on_state)

    @property
    def study(self) -> DampingStudy | None:
        """The newest look, if it is of the recipe's network and images."""
        recipe = self._workspace.recipe
        if self._looked is None or refusal(recipe.estimator):
            return None
        then, study = self._looked
        same = (then.model, then.data) == (recipe.model, recipe.data)
        return study if same else None

    @property
    def refusal(self) -> str:
        """Why this recipe's damping cannot be looked at."""
        recipe = self._workspace.recipe
        if not knows(recipe.allocation):
            return "What this kind of target does cannot be foretold."
        return refusal(recipe.estimator)

    @property
    def locked(self) -> bool:
        """Whether the damping cannot be moved now."""
        return self._workspace.state != "idle" or self.study is None

    @property
    def moving(self) -> bool:
        """Whether what is shown is not the recipe's yet."""
        return self._dragged is not None

    @property
    def mean(self) -> float:
        """Mean diagonal of F without damping."""
        return self.study.mean

    def watch(self, on: bool) -> None:
        """Reckon only while somebody looks."""
        self._watched = on
        self._timer.stop()
        if on:
            self._renew()

    def look(self) -> None:
        """Collect the gradients and take them apart, behind the window."""
        recipe, self.looking = self._workspace.recipe, True
        self._runner.look(
            partial(engine.study_damping, recipe),
            lambda study: self.take(recipe, study),
        )

    def stop(self) -> None:
        """End the look without an answer."""
        self._runner.stop()

    def take(self, recipe: Recipe, study: DampingStudy) -> None:
        """Show what a look at this recipe has found."""
        self._looked = recipe, study
        self._reference = None
        self._renew()

    def drag(self, damping: float) -> None:
        """Show what this damping does."""
        if self._reference is None or self.locked:
            return
        self._dragged = damping
        self.shown = self._reference.at(damping)
        self.changed.emit()

    def release(self, merge: str = "") -> None:
        """Make what is shown the recipe's; `merge` as in `Workspace.set_recipe`."""
        if self._dragged is not None:
            self.change("damping", float(f"{self._dragged:.3g}"), merge)

    def drop(self) -> None:
        """Forget what is being dragged."""
        if self._dragged is not None:
            self._dragged = None
            self.shown = self.now
            self.changed.emit()

    def change(self, setting: str, value: float, merge: str = "") -> None:
        """Give the recipe's method another damping, or number of samples."""
        before = self._workspace.recipe
        try:
            recipe = with_changes(before, {f"estimator.{setting}": value})
        except InputError:  # out of the bounds of the setting
            recipe = before
        self._dragged = None
        if recipe == before:
            self._renew()
        else:
            self._workspace.set_recipe(recipe, merge)

    def _on_state(self, state: str) -> None:
        if state == "idle":
            self.looking = False
        self.changed.emit()

    def _renew(self) -> None:
        """Look up again what depends on damping and target."""
        self._dragged = None
        if not self._watched:
            return
        study, recipe = self.study, self._workspace.recipe
        self.problem = self.refusal
        if study is None or self.problem:
            self._reference, self._todo, self.points = None, [], []
            self.shown = self.now = self.advice = self.settled = self.samples = None
            self.complete = False
            self._timer.stop()
            self.changed.emit()
            return
        self.problem = self._stale(self._looked[0], recipe)
        self._compare(study, recipe)
        self.changed.emit()

    def _compare(self, study: DampingStudy, recipe: Recipe) -> None:
        damping, allocation = recipe.estimator.damping, recipe.allocation
        known = self._reference
        if known and (known.damping, known.allocation) == (damping, allocation):
            self.shown = self.now
            self._timer.start()
            return
        try:
            self._reference = Reference(study, damping, allocation)
            self.shown = self.now = self._reference.at(damping)
        except InputError as error:  # a floor above a ceiling
            self.problem = f"{error.message} {error.hint}"
            self._reference, self.points, self._todo = None, [], []
            self.shown = self.now = self.advice = None
            self.complete = False
            return
        if known is None or known.allocation != allocation:
            self.settled = self.samples = None
        self.advice, self.points, self.complete = None, [], False
        self._todo = study.grid.tolist()
        self._timer.start()

    def _reckon(self) -> None:
        """Some more points of the curves."""
        until = time.perf_counter() + SLICE
        while self._todo and time.perf_counter() < until:
            self.points.append(self._reference.at(self._todo.pop(0)))
        if self._todo:
            return
        if self.settled is None:
            self.settled = settling(self.study, self._reference.allocation)
            self.samples = suggested_samples(self.study, self.settled)
            return
        compensation = self._workspace.recipe.estimator.compensation
        self.advice = suggested(self.points, self.now, compensation)
        self.complete = True
        self._timer.stop()
        self.changed.emit()

    def _stale(self, then: Recipe, now: Recipe) -> str:
        """Why the look is not what one would find now."""
        free = {"damping": now.estimator.damping}
        if then.estimator.model_copy(update=free) != now.estimator:
            return AGAIN + "the method's settings have changed since."
        if then.machine.seed != now.machine.seed:
            return AGAIN + "the seed has changed since."
        if then.allocation.exclude != now.allocation.exclude:
            return AGAIN + "other layers are excluded now."
        return ""
