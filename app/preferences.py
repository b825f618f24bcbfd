"""Preferences: what the program remembers about this person, one small JSON file."""

import json
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_config_dir, user_documents_dir
from pydantic import ConfigDict, ValidationError

from engine.part import Part, field
from engine.records.whole import write

RECENT = 8  # opened things the File menu lists


class Choices(Part):
    """The remembered values; the preferences dialog is generated from this."""

    model_config = ConfigDict(title="Preferences")
    theme: Literal["system", "light", "dark"] = field(
        "system", "Theme", "Colours of the window; system follows the desktop."
    )
    runs: str = field(
        "", "Run folders in",
        "Each run gets a folder of its own here; empty means Secateur/runs in your "
        "documents.",
        path="folder",
    )  # fmt: skip
    trusted: tuple[str, ...] = field(
        (), "Trusted files", "Digests of Python files you allowed to run.", hidden=True
    )
    recent: tuple[str, ...] = field(
        (), "Recent", "Files and folders opened lately.", hidden=True
    )
    window: dict[str, str] = field({}, "Window", "Sizes and positions.", hidden=True)
    compared: dict[str, bool] = field(
        {}, "Compared runs", "Run folders side by side, and whether each is drawn.",
        hidden=True,
    )  # fmt: skip
    columns: dict[str, str] = field(
        {}, "Columns", "Titles of the columns that are shown, by table.", hidden=True
    )


class Preferences:
    """Reads the file once; every change is written at once and appears whole.

    Args:
        path: The file; the platform's configuration folder when not given.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(user_config_dir("Secateur")) / "preferences.json"
        self.problem = ""  # a sentence when the file could not be read or written
        self.values = self._read()

    @property
    def runs(self) -> Path:
        """The folder in which run folders are made."""
        if self.values.runs:
            return Path(self.values.runs).expanduser()
        return Path(user_documents_dir()) / "Secateur" / "runs"

    @property
    def trusted(self) -> frozenset[str]:
        """Digests of the Python files the person trusts."""
        return frozenset(self.values.trusted)

    def change(self, **changes: Any) -> None:
        """Remember new values.

        Raises:
            pydantic.ValidationError: A value does not fit; nothing is changed.
        """
        content = {**self.values.model_dump(), **changes}
        values = Choices.model_validate(content)
        if values != self.values:
            self.values = values
            self._write()

    def trust(self, digest: str) -> None:
        """Remember that the person trusts a file with this digest."""
        self.change(trusted=tuple(sorted({*self.values.trusted, digest})))

    def remember(self, opened: Path) -> None:
        """Put a file or folder at the top of the recent ones."""
        others = (each for each in self.values.recent if each != str(opened))
        self.change(recent=(str(opened), *others)[:RECENT])

    def _read(self) -> Choices:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Choices()
        except (OSError, ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            self.problem = f"The preferences {self.path} are unreadable; starting anew."
            return Choices()
        return Choices(**{k: v for k, v in content.items() if self._fits(k, v)})

    def _fits(self, key: str, value: Any) -> bool:
        try:
            Choices.model_validate({key: value})
        except ValidationError:
            self.problem = f"The preference {key!r} in {self.path} was ignored."
            return False
        return True

    def _write(self) -> None:
        content = json.dumps(self.values.model_dump(mode="json"), indent=2) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write(self.path, content.encode())
        except OSError as error:
            self.problem = f"The preferences cannot be saved: {error.strerror}."
