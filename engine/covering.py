"""Covering: which weights a pattern of names means, for settings and for the window."""

from fnmatch import fnmatchcase


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern means this weight: its name, or a module it is part of.

    `fc`, `fc.weight`, `layer?`, `*.downsample.*` and `layer1` (all below it) all do.
    """
    parts = name.split(".")
    ends = range(1, len(parts) + 1)
    return any(fnmatchcase(".".join(parts[:end]), pattern) for end in ends)
