"""Steering: what the recipe would do by the scored saliencies, and moving its cuts."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.bridge import Bridge
from app.steering.stale import stale
from app.workspace import Scored, Workspace
from engine.errors import InputError
from engine.events import ModelLoaded
from engine.facts import Histogram, LayerInfo
from engine.recipe import with_changes
from engine.steering.overrides import changes, overridden, without_overrides
from engine.steering.ranking import LayerRanking
from engine.steering.what_if import Allocation, Forecast, WhatIf, knows

ALL = "all"  # what a common cut is of
POINTS, PERCENT = 200, 0.01


class Steering(QObject):
    """The forecast of the recipe, or of what is being dragged and not yet released.

    A release makes one change of the recipe, so undo takes it back.
    """

    changed = Signal()  # the forecast, or what may be moved

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.infos: tuple[LayerInfo, ...] = ()  # every layer of the network on show
        self._what_if: WhatIf | None = None
        self._dragged: Allocation | None = None
        self._gives_way = False
        self.forecast: Forecast | None = None
        self.problem = ""
        self.refusal = ""  # why the last release changed nothing
        workspace.scored_changed.connect(self._take)
        workspace.recipe_changed.connect(self.drop)
        workspace.state_changed.connect(self.drop)
        bridge.on(ModelLoaded, self._load)

    @property
    def scored(self) -> Scored | None:
        """The saliencies, if they are of the recipe's network and images."""
        scored, recipe = self._workspace.scored, self._workspace.recipe
        fits = scored and (scored.recipe.model, scored.recipe.data) == (
            recipe.model, recipe.data,
        )  # fmt: skip
        return scored if fits else None

    @property
    def allocation(self) -> Allocation:
        """The recipe's, or what is being dragged."""
        return self._dragged or self._workspace.recipe.allocation

    @property
    def locked(self) -> str:
        """Why nothing can be moved, in a sentence; empty when something can."""
        if self._workspace.state != "idle":
            return "Cuts can be moved while no run is going on."
        if self.problem:
            return self.problem
        pattern = self._workspace.recipe.pattern
        if pattern.kind == "n_m":
            return (
                f"{pattern.kept}:{pattern.group} fixes how many weights of a group "
                "stay, so there is no cut to move."
            )
        return ""

    @property
    def measurable(self) -> bool:
        """Whether the forecast may be measured, movable or not: no run, none stale."""
        return self._workspace.state == "idle" and not self.problem

    @property
    def note(self) -> str:
        """What to know about the forecast, in a sentence."""
        recipe = self._workspace.recipe
        if self._gives_way:
            return (
                "The other layers cannot make up for this layer, so the target moves."
            )
        target, epochs = recipe.allocation.sparsity, recipe.finetune.epochs
        steps = sum(len(e.steps) for e in recipe.schedule.levels(target, epochs))
        if steps > 1:
            return (
                f"This is a single prune from here; the schedule's {steps} score again "
                "in between, so layers without an override will differ."
            )
        if recipe.allocation.kind == "uniform":
            return "A uniform target is one sparsity for all, not one cut to drag."
        return ""

    @property
    def emptied(self) -> tuple[str, ...]:
        """Layers of which nothing but the best would stay."""
        layers, units = self._what_if.ranking.layers, self.forecast.units
        return tuple(
            name
            for name, count in units.items()
            if 0 < layers[name].most == count < len(layers[name].scores)
        )

    @property
    def common(self) -> float | None:
        """The cut that all layers share; None where each has its own."""
        if self.forecast is None or self.allocation.kind == "uniform":
            return None
        if self.forecast.cut is not None:
            return self.forecast.cut
        every = (self._what_if.compared(self.allocation, n) for n in self.names())
        return min((float(each[0]) for each in every if len(each)), default=None)

    def is_scored(self, name: str) -> bool:
        """Whether the forecast is about this layer too."""
        return self.forecast is not None and name in self.forecast.units

    def names(self) -> tuple[str, ...]:
        """The layers in the forecast."""
        return tuple(self.forecast.units) if self.forecast else ()

    def histogram(self, name: str) -> Histogram:
        """A layer's saliencies as the allocation compares them, cut by the forecast."""
        scores = self._what_if.compared(self.allocation, name)
        layer = self._what_if.ranking.layers[name]
        return layer.histogram(scores, self.forecast.units[name])

    def cut(self, name: str) -> float:
        """The highest saliency that goes of a layer; the common one where it fits."""
        scores = self._what_if.compared(self.allocation, name)
        units, common = self.forecast.units[name], self.forecast.cut
        if not len(scores):
            return 0.0
        own = float(scores[max(units - 1, 0)])
        if common is None or units == 0:
            return own
        upper = scores[units] if units < len(scores) else float("inf")
        return common if own <= common <= upper else own

    def empty(self, name: str) -> tuple[int, int]:
        """Rows of a layer's weight with nothing left: now, and after the next prune."""
        layer = self._what_if.ranking.layers[name]
        return layer.empty(0), layer.empty(self.forecast.units[name])

    def size(self, name: str) -> int:
        """Weights of one layer."""
        return self._layer(name).size

    def zeros(self, name: str) -> int:
        """How many weights of one layer were removed before."""
        return self._layer(name).zeros

    def sparsity(self, name: str) -> float:
        """Of one layer."""
        return self.forecast.zeros[name] / self.size(name)

    def loss(self, name: str) -> float | None:
        """Sum of the saliencies that go of one layer; None where they are no losses."""
        ranking = self._what_if.ranking
        known = ranking.gain is not None
        return ranking.layers[name].loss(self.forecast.units[name]) if known else None

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Sparsities of one layer and the predicted loss of each; none if unknown."""
        if self._what_if.ranking.gain is None:
            return np.empty(0), np.empty(0)
        return self._layer(name).curve(POINTS)

    def price(self, name: str) -> float | None:
        """Predicted loss of one more percent of a layer; None where so much is gone."""
        known = self._what_if.ranking.gain is not None
        units = self.forecast.units[name]
        return self._layer(name).price(units, PERCENT) if known else None

    @property
    def dense(self) -> tuple[float, int]:
        """Multiply-accumulates and bytes of the network before anything goes."""
        return self._what_if.ranking.macs, self._what_if.ranking.bytes

    def override(self, name: str) -> float | None:
        """The sparsity this layer was given, or is being given."""
        return overridden(self.allocation, name)

    def drag(self, which: str, at: float) -> None:
        """Show what a cut at this saliency does; `which` is `all` or a layer's name."""
        if not self.locked and self._what_if:
            base = self._workspace.recipe.allocation
            if which == ALL:
                self._preview(self._what_if.cut_all(base, at))
            else:
                self._preview(self._what_if.cut_layer(base, which, at), True)

    def set_share(self, which: str, share: float) -> None:
        """Show what this sparsity does, of the target or of a layer."""
        if self.locked or not self._what_if:
            return
        base = self._workspace.recipe.allocation
        share = min(max(share, 0.0), 1.0)
        if which == ALL:
            target = base.model_copy(update={"sparsity": share})
            self._preview(self._what_if.within_reach(target))
        else:
            self._preview(self._what_if.set_layer(base, which, share), True)

    def draw(self, name: str, share: float) -> None:
        """Show what this sparsity of a layer does if all others stay as they are."""
        if self.locked or self.forecast is None:
            return
        base, layer = self._workspace.recipe.allocation, self._layer(name)
        low, high = self._what_if.room(without_overrides(base, self.names()))[name]
        goal = round(min(max(share, 0.0), 1.0) * layer.size) - layer.zeros
        units = min(max(layer.nearest(max(goal, 0)), low), high)
        drawn = {**self.forecast.units, name: units}
        self._preview(self._what_if.shape(base, drawn))

    def take(self, units: Mapping[str, int]) -> None:
        """Make the overrides for which so many units go the recipe's; one change."""
        base = self._workspace.recipe.allocation
        self._apply(self._what_if.shape(base, units))

    def release(self, merge: str = "") -> None:
        """Make what is shown the recipe's; `merge` as in `Workspace.set_recipe`."""
        if self._dragged is not None:
            gives_way = self._gives_way
            self._apply(self._dragged, merge)
            if gives_way and not self.refusal:  # still to be read after the drop
                self._gives_way = True
                self.changed.emit()

    def clear(self, names: tuple[str, ...]) -> None:
        """Take the overrides of these layers away."""
        self.allocate(without_overrides(self._workspace.recipe.allocation, names))

    def allocate(self, allocation: Allocation) -> None:
        """Make these floors and ceilings the recipe's; the target gives way to them."""
        if self.forecast is not None:  # else another network's target counts
            allocation = self._what_if.within_reach(allocation)
        self._apply(allocation)

    def drop(self) -> None:
        """Forget what is being dragged, and look at the recipe again."""
        self._dragged, self.refusal, self._gives_way = None, "", False
        self._look()

    def _layer(self, name: str) -> LayerRanking:
        return self._what_if.ranking.layers[name]

    def _apply(self, allocation: Allocation, merge: str = "") -> None:
        self._dragged = None
        recipe = before = self._workspace.recipe
        try:
            recipe = with_changes(before, changes(allocation))
        except InputError as error:  # such as a schedule that begins above the target
            self.refusal = f"{error.message} {error.hint}"
        if recipe == before:
            self._look()  # nobody tells of a change
        else:
            self._workspace.set_recipe(recipe, merge)

    def _take(self) -> None:
        scored = self._workspace.scored
        self._what_if = WhatIf(scored.study.ranking) if scored else None
        self.drop()

    def _load(self, events: list[ModelLoaded]) -> None:
        self.infos = events[-1].layers
        self._look()

    def _preview(self, allocation: Allocation, layer: bool = False) -> None:
        target = self._workspace.recipe.allocation.sparsity
        self._gives_way = layer and allocation.sparsity != target
        self._dragged, self.refusal = allocation, ""
        self._look()

    def _look(self) -> None:
        self.forecast, self.problem = None, ""
        if self.scored:
            known = self._what_if.ranking.layers
            then, now = self.scored.recipe, self._workspace.recipe
            self.problem = stale(then, now, self.infos, known)
            try:
                if knows(self.allocation):
                    self.forecast = self._what_if.forecast(self.allocation)
            except InputError as error:
                self.problem = f"{error.message} {error.hint}"
        self.changed.emit()
