"""Wish: what a fitted profile shall come to, and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.allocation.base import Allocation
from engine.steering.events import LayerMeasured
from engine.steering.spending import Currency, Times

Goal = Literal["weights", "macs", "bytes", "milliseconds", "accuracy"]


def currency_of(goal: Goal) -> Currency:
    """What layers are paid in; for accuracy, weights, as few as it lets."""
    return "weights" if goal == "accuracy" else goal


@dataclass(frozen=True)
class Wish:
    """A profile to be found.

    Attributes:
        goal: What `amount` counts.
        amount: Most that may be used; for accuracy, most points that may be lost.
        allocation: Whose exclusions, floors and ceilings hold; overrides give way.
        locked: Layers whose overrides do not give way.
        drawn: Sparsities by layer, to which the profile shall be the nearest; None
            asks for the one that loses least.
        label: For accuracy, the class that is bound; None binds that of all images.
        measured: Of layers that were cut alone, by name.
        times: For milliseconds, see `measure_times`.
    """

    goal: Goal
    amount: float
    allocation: Allocation
    locked: frozenset[str] = frozenset()
    drawn: Mapping[str, float] | None = None
    label: int | None = None
    measured: Mapping[str, LayerMeasured] = field(default_factory=dict)
    times: Times | None = None

    @property
    def currency(self) -> Currency:
        """What layers are paid in."""
        return currency_of(self.goal)


@dataclass(frozen=True)
class Kept:
    """Accuracy in percent with the fitted masks alone, and without them."""

    now: float
    dense: float
    images: int
    source: str


@dataclass(frozen=True)
class Fit:
    """A profile that was found.

    Attributes:
        wish: What was asked for.
        units: How many of each layer's lowest units go.
        used: Of the currency, by the whole network.
        whole: What it uses dense.
        kept: Where accuracy was the goal.
    """

    wish: Wish
    units: Mapping[str, int]
    used: float
    whole: float
    kept: Kept | None = None
