"""Reading small JSON files that people write, with a sentence for what is wrong."""

import json
from pathlib import Path
from typing import Any

from engine.errors import InputError

LARGEST = 1_000_000  # bytes of a file


def read_json(path: str | Path, what: str) -> Any:
    """The content of a small JSON file that holds a `what`, or of that in a folder.

    Raises:
        InputError: It is missing, too large or not JSON.
    """
    path, inside = Path(path), Path(path) / f"{what}.json"
    path = inside if inside.is_file() else path
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{path} is too large for a {what}.", f"Choose a {what} .json file."
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Cannot read the {what} {path}: {error.strerror}.", "Check the path."
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not a JSON file: {error.msg}, line {error.lineno} column "
            f"{error.colno}.",
            f"Correct it there, or choose a {what} .json file.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not a JSON file.", f"Choose a {what} .json file."
        ) from error
