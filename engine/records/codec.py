"""Events as one line of JSON each, and back."""

import dataclasses
import json
import math
from typing import Any

from pydantic import TypeAdapter

from engine.comparing.cells import CELL_EVENTS
from engine.errors import InputError
from engine.events import EVENTS, Event

_BY_NAME = {event.__name__: event for event in (*EVENTS, *CELL_EVENTS)}
_ADAPTERS = {name: TypeAdapter(event) for name, event in _BY_NAME.items()}


def to_json(event: Event) -> str:
    """One line: the event's name, its time and its fields."""
    content = {"event": type(event).__name__, **_plain(event)}
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def is_of(line: bytes, kinds: tuple[type[Event], ...]) -> bool:
    """Whether a line is of one of these kinds, by its first words."""
    return line.startswith(tuple(_head(kind) for kind in kinds))


def from_json(line: str) -> Event:
    """The event a line holds.

    Raises:
        InputError: The line is not an event.
    """
    try:
        content = json.loads(line)
        return _ADAPTERS[content.pop("event")].validate_python(content)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise InputError(
            f"Not an event: {line[:80]!r}.",
            "Check that events.jsonl was written by this version and is not truncated.",
        ) from error


def finite(value: float | None) -> float | None:
    """The number, or None for one that JSON lacks."""
    return value if value is not None and math.isfinite(value) else None


def _head(kind: type[Event]) -> bytes:
    return f'{{"event":"{kind.__name__}"'.encode()


def _plain(value: Any) -> Any:
    """Dataclasses as dicts; non-finite numbers as the words JSON lacks ("nan")."""
    if dataclasses.is_dataclass(value):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(content) for name, content in pairs}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
