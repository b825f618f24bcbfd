"""Budgeting: layers measured and timed, and profiles fitted, behind the views."""

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

import engine
from app.bridge import Bridge
from app.runner import Runner
from app.steering.profile.fitted import fitted
from app.steering.steering import Steering
from app.workspace import Workspace
from engine.events import DataLoaded
from engine.steering.events import LayerMeasured
from engine.steering.overrides import overridden, overriding
from engine.steering.profile import Profiles
from engine.steering.spending import Currency, Spending, Times
from engine.steering.what_if import Allocation, WhatIf
from engine.steering.wish import Fit, Goal, Wish, currency_of


class Budgeting(QObject):
    """What is known beside the ranking, for one scored network, and the way to more.

    Attributes:
        measured: Of layers that were cut alone, by name.
        times: Of layers, once they were timed.
        locked: Layers that a fit leaves as they are.
        goal: What the budget counts.
        classes: Names of the classes, in the order of the labels.
        drawn: The profile that was last fitted, as it was drawn; empty when none was.
        told: What the last fit came to, in a sentence.
    """

    changed = Signal()

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        runner: Runner,
        steering: Steering,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._runner, self._steering = workspace, runner, steering
        self.measured: dict[str, LayerMeasured] = {}
        self.times: Times | None = None
        self.locked: frozenset[str] = frozenset()
        self.goal: Goal = "weights"
        self.classes: tuple[str, ...] = ()
        self.drawn: dict[str, float] = {}
        self.told = ""
        self._found: Allocation | None = None  # what `told` is about
        self.working = ""  # what is under way for this: measure, time or fit
        bridge.on(LayerMeasured, self._add)
        bridge.on(DataLoaded, self._load)
        workspace.scored_changed.connect(self._forget)
        workspace.state_changed.connect(self._rest)
        steering.changed.connect(self._compare)

    @property
    def ready(self) -> bool:
        """Whether something can be measured or fitted now."""
        return self._steering.forecast is not None and not self._steering.locked

    def set_goal(self, goal: Goal) -> None:
        """Count this from now on."""
        if goal != self.goal:
            self.goal = goal
            self.changed.emit()

    def lock(self, name: str, locked: bool) -> None:
        """Leave this layer as it is in every fit, or no longer."""
        self.locked = self.locked | {name} if locked else self.locked - {name}
        self.changed.emit()

    def measure(self, layers: tuple[str, ...]) -> None:
        """Cut these alone and measure; each is shown as it comes."""
        self._do("measure", engine.measure_sensitivity, layers=layers)

    def time(self) -> None:
        """Time every layer on this machine."""
        self._do("time", engine.measure_times, done=self._take_times)

    def fit(self, amount: float, label: int | None, drawn: bool) -> None:
        """Find the profile for the goal, and make it the recipe's.

        Args:
            amount: As `Wish` has it.
            label: The class that is bound; None means all images.
            drawn: The nearest to what is shown rather than the cheapest.
        """
        steering = self._steering
        names, allocation = steering.names(), steering.allocation
        locked = self.locked & set(names)
        for name in locked:
            if overridden(allocation, name) is None:
                allocation = overriding(allocation, name, steering.sparsity(name))
        shown = {name: steering.sparsity(name) for name in names}
        wish = Wish(
            self.goal, amount, allocation, locked, shown if drawn else None, label,
            self.measured, self.times,
        )  # fmt: skip
        self._do("fit", engine.fit_profile, wish=wish, done=self._take)

    def stop(self) -> None:
        """End what is under way; what was measured by then stays."""
        if self.working:
            self._runner.stop()

    def spending(self, currency: Currency) -> Spending | None:
        """What layers use of a currency; None while there is no way to know."""
        scored = self._steering.scored
        known = currency != "milliseconds" or self.times is not None
        if scored is None or self._steering.forecast is None or not known:
            return None
        ranking = scored.study.ranking
        layers = {name: ranking.layers[name] for name in self._steering.names()}
        return Spending(ranking, layers, currency, self.times)

    def prices(self) -> dict[str, float | None]:
        """Loss for saving a hundredth of the dense network's use in each layer alone.

        Empty while losses or the currency are unknown; None where so much is gone.
        """
        forecast = self._steering.forecast
        spending = self.spending(currency_of(self.goal))
        if spending is None:
            return {}
        what_if = WhatIf(self._steering.scored.study.ranking)
        allocation, measured = self._steering.allocation, self.measured
        profiles = Profiles(what_if, allocation, measured=measured)
        told = what_if.ranking.gain is not None
        return {
            name: profiles.price(name, units, spending)
            for name, units in forecast.units.items()
            if told or name in measured
        }

    def _do(
        self,
        what: str,
        work: Callable[..., Any],
        done: Callable[[Any], None] = lambda answer: None,
        **given: Any,
    ) -> None:
        scored = self._steering.scored
        if self.ready and scored is not None:
            self.working = what
            call = partial(work, scored.recipe, scored.study, **given)
            self._runner.look(call, done)
            self.changed.emit()

    def _add(self, events: list[LayerMeasured]) -> None:
        self.measured = self.measured | {each.name: each for each in events}
        self.changed.emit()

    def _load(self, events: list[DataLoaded]) -> None:
        self.classes = events[-1].classes
        self.changed.emit()

    def _take_times(self, times: Times) -> None:
        self.times = times
        self.changed.emit()

    def _take(self, fit: Fit) -> None:
        shown = self._steering.forecast
        stays = shown is not None and dict(fit.units) == shown.units
        self._steering.take(fit.units)
        self.drawn = dict(fit.wish.drawn or {})
        self.told = self._steering.refusal or fitted(fit, stays, self.classes)
        self._found = self._steering.allocation
        self.changed.emit()

    def _compare(self) -> None:
        """What was said of a fit counts until something else is shown."""
        if self.told and self._steering.allocation != self._found:
            self.told, self.drawn = "", {}
            self.changed.emit()

    def _forget(self) -> None:
        self.measured, self.times, self.told, self.drawn = {}, None, "", {}
        scored = self._workspace.scored
        if scored is not None:
            self.classes = scored.study.classes or self.classes
        self.changed.emit()

    def _rest(self, state: str) -> None:
        if state == "idle" and self.working:
            self.working = ""
            self.changed.emit()
