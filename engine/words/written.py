"""Values as people write them: `fc, conv1` is a list, `fc=0.5, conv1=0.9` a map."""

import json
import math
from typing import Any

from engine.part import Setting


def read(text: str, setting: Setting) -> Any:
    """What a text means for a setting: JSON where that fits, else the written form.

    What is not understood stays text, for validation to refuse.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    match setting.type:
        case "list":
            return value if isinstance(value, list) else read_list(text, setting.item)
        case "map":
            return value if isinstance(value, dict) else read_map(text)
    if setting.type is str:
        return value if isinstance(value, str) else text
    return value


def read_list(text: str, item: type) -> list:
    """The values between commas."""
    words = (word.strip() for word in text.split(","))
    return [word if item is str else _number(word, item) for word in words if word]


def read_map(text: str) -> dict[str, Any]:
    """The numbers by name; a name given twice, or none, leaves text to be refused."""
    found: dict[str, Any] = {}
    for word in filter(None, map(str.strip, text.split(","))):
        name, _, value = (part.strip() for part in word.rpartition("="))
        if not name:
            name = value = word
        twice = f"{found.get(name)} and {value}"
        found[name] = twice if name in found else _number(value, float)
    return found


def write(value: Any) -> str:
    """A value as it may be given again."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | tuple | list) and any("," in str(e) for e in value):
        return json.dumps(value)  # commas would tear these apart
    if isinstance(value, dict):
        return ", ".join(f"{name}={write(each)}" for name, each in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(write(each) for each in value)
    return str(value)


def form(setting: Setting) -> str:
    """How a list or map is written, as an example; empty for other settings."""
    if setting.type == "map":
        return "fc=0.5, layer3=0.9"
    if setting.type == "list":
        return "fc, conv1" if setting.item is str else "0.5, 0.25"
    return ""


def _number(text: str, kind: type) -> int | float | str:
    """A number of this type, else the text as it is."""
    for cast in (int, float) if kind is int else (float,):
        try:
            number = cast(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text
