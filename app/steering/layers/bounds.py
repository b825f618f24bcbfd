"""Layer bounds: floors, ceilings and locks; each edit is one change of the recipe."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.steering.steering import Steering
from app.tables.exclusion import covering, is_fixed
from app.tables.units import many, percent, short
from app.workspace import Workspace
from engine.facts import LayerInfo
from engine.steering.overrides import Bound, bounded, overridden, own
from engine.steering.what_if import Allocation

BUSY = "Layers can be changed while no run is going on."
NOTHING = "None of the selected layers is pruned, so there is nothing to lock."


class LayerBounds(QObject):
    """Works with and without a scoring; with one, the target stays within reach.

    Args:
        workspace: Has the recipe.
        steering: Knows the forecast and the layers.
        parent: Qt's.
    """

    told = Signal(str)  # what was done or refused, in a sentence

    def __init__(
        self, workspace: Workspace, steering: Steering, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._steering = workspace, steering

    def set(self, names: Sequence[str], bound: Bound, share: float | None) -> None:
        """Give these layers a target, floor or ceiling, or take it away (None)."""
        self._change({name: share for name in names}, bound, "")

    def clear(self, names: Sequence[str]) -> None:
        """Take floors, ceilings and targets of these layers away."""
        allocation = self._workspace.recipe.allocation
        for name in names:
            for bound in ("floor", "ceiling"):
                allocation = bounded(allocation, name, bound, None)
        self._make(allocation, "")

    def lock(self, names: Sequence[str]) -> None:
        """Keep these layers at the sparsity they have or are foretold; else unlock."""
        allocation = self._workspace.recipe.allocation
        if names and all(overridden(allocation, name) is not None for name in names):
            self.set(names, "target", None)
            return
        infos = {info.name: info for info in self._steering.infos}
        pruned = [n for n in names if n in infos and self._is_pruned(infos[n])]
        if not pruned:
            self.told.emit(NOTHING)
            return
        foretold = [name for name in pruned if self._is_foretold(name)]
        shares = {
            name: self._steering.sparsity(name)
            if name in foretold
            else infos[name].zeros / infos[name].weights
            for name in pruned
        }
        what = "the sparsity the next prune is foretold to leave"
        if not foretold:
            what = "the zeros they have, as nothing was scored yet"
        elif len(foretold) < len(pruned):
            what = "what is foretold, or the zeros they have where nothing is"
        self._change(
            shares, "target", f"{many(len(pruned), 'layer')} locked at {what}."
        )

    def _change(self, shares: dict[str, float | None], bound: Bound, done: str) -> None:
        allocation = self._workspace.recipe.allocation
        for name, share in shares.items():
            allocation = bounded(allocation, name, bound, share)
            least, most = allocation.limits(name)
            if least > most:
                self.told.emit(
                    f"The floor of {short(name)}, {percent(least)}, would be above its "
                    f"ceiling of {percent(most)}, so nothing was changed."
                )
                return
        self._make(allocation, done)

    def _make(self, allocation: Allocation, done: str) -> None:
        if self._workspace.state != "idle":
            self.told.emit(BUSY)
            return
        self._steering.allocate(allocation)
        if self._steering.refusal:
            self.told.emit(self._steering.refusal)
            return
        now = self._workspace.recipe.allocation
        moved = ""
        if now.sparsity != allocation.sparsity:
            moved = (
                f"The target moved to {percent(now.sparsity)}, as far as floors and "
                "ceilings let it."
            )
        self.told.emit(" ".join(filter(None, (done, moved, self._unreachable(now)))))

    def _unreachable(self, allocation: Allocation) -> str:
        """Why a run would refuse these bounds, where no forecast moved the target."""
        infos = [info for info in self._steering.infos if self._is_pruned(info)]
        whole = sum(info.weights for info in infos)
        if not whole or allocation.of != "weights":
            return ""
        low, high = allocation.bounds(
            {info.name: info.weights for info in infos},
            {info.name: info.zeros for info in infos},
        )
        least, most = sum(low.values()) / whole, sum(high.values()) / whole
        slack, wanted = 0.5 / whole, allocation.sparsity
        if allocation.floor and least > wanted + slack:
            return (
                f"The floors ask for {percent(least)} of the weights, more than the "
                f"target of {percent(wanted)}: raise the target or lower a floor."
            )
        if allocation.ceiling and most < wanted - slack:
            return (
                f"The ceilings let {percent(most)} of the weights go, less than the "
                f"target of {percent(wanted)}: lower the target or raise a ceiling."
            )
        return ""

    def _is_foretold(self, name: str) -> bool:
        return not self._steering.problem and self._steering.is_scored(name)

    def _is_pruned(self, info: LayerInfo) -> bool:
        excluded = covering(info.name, self._workspace.recipe.allocation.exclude)
        return info.weights > 0 and not is_fixed(info) and not excluded


def bounds_of(
    allocation: Allocation, name: str
) -> tuple[float | None, float | None, float, float]:
    """A layer's own floor and ceiling, and those that hold, patterns included."""
    return *own(allocation, name), *allocation.limits(name)
