"""Notes: what a person wrote about a run, one small text file in its folder."""

from pathlib import Path

from engine.errors import InputError
from engine.records.whole import write

NOTES = "notes.txt"
LONGEST = 10_000  # characters that are read


def read_notes(folder: str | Path) -> str:
    """What is written there; empty where nothing is."""
    try:
        with (Path(folder) / NOTES).open(encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST).strip()
    except OSError:
        return ""


def write_notes(folder: str | Path, text: str) -> None:
    """Put the notes in place, whole or not at all; an empty text takes them away.

    Raises:
        InputError: They cannot be written; what was there before is unchanged.
    """
    path, text = Path(folder) / NOTES, text.strip()
    try:
        if text:
            write(path, f"{text}\n".encode())
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"The notes cannot be written to {folder}: {error.strerror}.",
            "Copy the run to a folder that you may write to.",
        ) from error
