"""Change words: what a recipe changes of the one it came from."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from app.forms.words import choice_words, number_words, summary
from engine.part import Part, Setting, settings
from engine.recipe import Recipe
from engine.words.written import write

TO = " \N{RIGHTWARDS ARROW} "


def change_words(old: Recipe, new: Recipe) -> tuple[str, ...]:
    """A line for each setting that is another, a group of another kind in one line."""
    return tuple(_lines(old, new))


def _lines(old: Recipe, new: Recipe) -> Iterator[str]:
    for group in settings(Recipe):
        before, after = getattr(old, group.name), getattr(new, group.name)
        if before == after:
            continue
        if not isinstance(before, Part):
            yield f"{group.title}: changed"
        elif type(before) is not type(after):
            yield f"{group.title}: {summary(before)}{TO}{summary(after)}"
        else:
            for setting in settings(type(before)):
                pair = getattr(before, setting.name), getattr(after, setting.name)
                if pair[0] != pair[1]:
                    told = TO.join(_value(setting, each) for each in pair)
                    yield f"{group.title}, {setting.title}: {told}"


def _value(setting: Setting, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if setting.type == "choice":
        return choice_words(value)
    if setting.path:
        return PurePath(value).name or "none"
    if setting.special and value == setting.low:
        return setting.special.lower()
    if isinstance(value, int | float):
        return number_words(value)
    return write(value) or "none"
