"""Overrides: layers whose sparsity the person has set, as floors and ceilings.

A layer's override is a floor and a ceiling that are equal, both under its exact name.
"""

from collections.abc import Iterable
from glob import escape
from typing import Any, Literal

from engine.allocation.base import Allocation

Bound = Literal["target", "floor", "ceiling"]


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


def own(allocation: Allocation, name: str) -> tuple[float | None, float | None]:
    """Floor and ceiling that a layer has under its exact name."""
    return allocation.floor.get(escape(name)), allocation.ceiling.get(escape(name))


def bounded(
    allocation: Allocation, name: str, bound: Bound, share: float | None
) -> Allocation:
    """The same with this bound of a layer at a sparsity, or without it (None).

    Taking the target away takes floor and ceiling where they are equal.
    """
    if bound == "target":
        if share is None:
            return without_overrides(allocation, [name])
        return overriding(allocation, name, share)
    key, shares = escape(name), dict(getattr(allocation, bound))
    shares.pop(key, None)
    if share is not None:
        shares[key] = share
    return allocation.model_copy(update={bound: shares})


def changes(allocation: Allocation) -> dict[str, Any]:
    """What to change in a recipe to have this allocation's target and bounds."""
    return {
        "allocation.sparsity": allocation.sparsity,
        "allocation.floor": allocation.floor,
        "allocation.ceiling": allocation.ceiling,
    }


def _with(allocation: Allocation, floor: dict, ceiling: dict) -> Allocation:
    return allocation.model_copy(update={"floor": floor, "ceiling": ceiling})
