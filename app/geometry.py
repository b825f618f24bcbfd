"""Geometry: the sizes of the window's parts, as text that preferences keep."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QByteArray

Save = Callable[[], QByteArray]
Restore = Callable[[QByteArray], bool]


def remembered(parts: Mapping[str, Save]) -> dict[str, str]:
    """What each part says of its size, by name."""
    return {
        name: bytes(save().toBase64().data()).decode() for name, save in parts.items()
    }


def restore(parts: Mapping[str, Restore], texts: Mapping[str, str]) -> None:
    """Give each part its size back; a part without one stays as it is."""
    for name, put in parts.items():
        put(QByteArray.fromBase64(texts.get(name, "").encode()))
