"""What the command line is given: a recipe with changes, and files that may run."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from engine.errors import InputError
from engine.reading import read_json
from engine.recipe import Recipe, changed, parse, setting_of
from engine.words import written


def read_recipe(path: str, settings: Iterable[str]) -> Recipe:
    """The recipe of a file or run folder, with changes, which may mend it.

    Args:
        path: As it was given.
        settings: The changes, `estimator.samples=500` each.

    Raises:
        InputError: It cannot be read or is not valid so.
    """
    changes, said = {}, {}
    for change in settings:
        key, equals, text = (part.strip() for part in change.partition("="))
        if not equals:
            raise InputError(
                f"--set {change} has no value.", "Write --set group.setting=value."
            )
        setting = setting_of(*key.split(".", 1)) if "." in key else None
        changes[key] = written.read(text, setting) if setting else text
        said[key] = f"--set {change}"
    content = changed(read_json(path, "recipe"), changes)
    return parse(content, path, said)


def trusted(files: Iterable[str]) -> frozenset[str]:
    """SHA-256 digests of the files.

    Raises:
        InputError: One cannot be read.
    """
    return frozenset(_digest(Path(file)) for file in files)


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(
            f"Cannot read {file}: {error.strerror}.", "Check the path after --trust."
        ) from error
