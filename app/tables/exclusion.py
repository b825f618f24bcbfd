"""Exclusion: which patterns leave a layer dense, and how one click changes them."""

from collections.abc import Iterable
from glob import escape

from engine.covering import covers
from engine.facts import LayerInfo

Patterns = tuple[str, ...]
BY_RECIPE = "excluded by "  # how the engine words what the recipe excludes


def covering(name: str, patterns: Iterable[str]) -> str:
    """The first pattern that covers this parameter name; empty if there is none."""
    return next((pattern for pattern in patterns if covers(pattern, name)), "")


def is_fixed(info: LayerInfo) -> bool:
    """Whether no recipe could have this layer pruned."""
    by_recipe = info.reason.startswith(BY_RECIPE)
    return info.status == "unsupported" or (info.status == "excluded" and not by_recipe)


def excluding(patterns: Patterns, names: Iterable[str]) -> Patterns:
    """Patterns that leave these layers dense too, added by their exact names."""
    result = list(patterns)
    result += (escape(name) for name in names if not covering(name, result))
    return tuple(result)


def including(
    patterns: Patterns, names: Iterable[str], layers: Iterable[str]
) -> Patterns:
    """Patterns that let these layers be pruned and change nothing for the others.

    A pattern that covers more than the wanted names gives way to the exact names of
    the other layers it covered.
    """
    wanted, layers = set(names), tuple(layers)
    kept = [p for p in patterns if not any(covers(p, name) for name in wanted)]
    result: list[str] = []
    for pattern in patterns:
        if pattern in kept:
            result.append(pattern)
        else:
            others = (n for n in layers if n not in wanted and covers(pattern, n))
            result += (escape(name) for name in others if not covering(name, kept))
    return tuple(dict.fromkeys(result))
