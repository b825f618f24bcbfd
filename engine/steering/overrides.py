"""Overrides: layers whose sparsity the person has set, as floors and ceilings.

A layer's override is a floor and a ceiling that are equal, both under its exact name.
"""

from collections.abc import Iterable
from glob import escape
from typing import Any

from engine.allocation.base import Allocation


def overridden(allocation: Allocation, name: str) -> float | None:
    """The sparsity a layer was given; None when it was given none."""
    key = escape(name)
    share = allocation.floor.get(key)
    return share if share == allocation.ceiling.get(key) else None


def overriding(allocation: Allocation, name: str, share: float) -> Allocation:
    """The same with this layer's sparsity set."""
    own = {escape(name): share}
    return _with(allocation, allocation.floor | own, allocation.ceiling | own)


def without_overrides(allocation: Allocation, names: Iterable[str]) -> Allocation:
    """The same with these layers as the others; what is no override stays."""
    keys = {escape(n) for n in names if overridden(allocation, n) is not None}
    return _with(
        allocation,
        {key: share for key, share in allocation.floor.items() if key not in keys},
        {key: share for key, share in allocation.ceiling.items() if key not in keys},
    )


def changes(allocation: Allocation) -> dict[str, Any]:
    """What to change in a recipe to have this allocation's target and bounds."""
    return {
        "allocation.sparsity": allocation.sparsity,
        "allocation.floor": allocation.floor,
        "allocation.ceiling": allocation.ceiling,
    }


def _with(allocation: Allocation, floor: dict, ceiling: dict) -> Allocation:
    return allocation.model_copy(update={"floor": floor, "ceiling": ceiling})
