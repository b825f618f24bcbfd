"""Differences: the settings in which recipes differ, and what each has there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.recipe import setting_of
from engine.words.written import write

ABSENT = "\N{EM DASH}"  # this kind of group has no such setting


def differences(recipes: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """(dotted key, value in each recipe as it is written) where not all are equal.

    Args:
        recipes: Plain contents, also of recipes of other versions.
    """
    flat = [dict(_flat(recipe)) for recipe in recipes]
    keys = dict.fromkeys(key for each in flat for key in each)
    found = []
    for key in sorted(keys, key=_place(flat)):
        values = [_words(each[key]) if key in each else ABSENT for each in flat]
        if len(set(values)) > 1:
            found.append((key, values))
    return found


def help_of(key: str) -> str:
    """Title and help of a setting; empty where this version does not know it."""
    group, _, name = key.partition(".")
    setting = setting_of(group, name)
    return f"{setting.title}: {setting.help}" if setting else ""


def _place(flat: list[dict[str, Any]]):
    """Keys in the order of the recipe, groups together."""
    groups: dict[str, int] = {}
    for each in flat:
        for key in each:
            groups.setdefault(key.partition(".")[0], len(groups))
    return lambda key: groups[key.partition(".")[0]]


def _flat(recipe: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for group, content in recipe.items():
        if isinstance(content, Mapping):
            yield from ((f"{group}.{name}", value) for name, value in content.items())
        else:
            yield group, content


def _words(value: Any) -> str:
    if value in ("", None) or value == [] or value == {}:
        return "none"
    return write(value)
