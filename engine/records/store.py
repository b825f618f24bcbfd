"""The run folder: every file appears whole or not at all, old states rotate out."""

import io
import json
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import save
from torch import Tensor

from engine.errors import InputError, RunError
from engine.events import Event
from engine.recipe import Recipe, dump
from engine.records import codec
from engine.records.contents import existing, states
from engine.records.whole import write

KEPT_STATES = 2
LOCK, HOST = ".lock", ".host"  # who is writing, and on which machine


class Store:
    """One run folder, locked while open.

    Holds `recipe.json` (with what was changed while the run went on), `events.jsonl`,
    `summary.json`, `model.safetensors` (the pruned network), `states/` (what `resume`
    needs; the newest two are kept until the end) and `nodes/`, the timeline.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"Another run is writing to {folder}.",
                "Wait for it, stop it, or choose another folder.",
            ) from error
        (folder / HOST).write_text(platform.node())  # locks may not reach others
        self._log = None

    @staticmethod
    def check(folder: str | Path) -> Path:
        """Whether a new run can have this folder; changes nothing.

        Raises:
            InputError: It holds something already or cannot be written.
        """
        folder = Path(folder).absolute()
        try:
            if folder.exists() and not folder.is_dir():
                raise InputError(
                    f"{folder} is a file.", "Choose a new folder for the run."
                )
            if folder.exists() and any(folder.iterdir()):
                raise InputError(
                    f"{folder} is not empty.",
                    "Choose a new folder, or resume the run that is in it.",
                )
            parent = next(p for p in (folder, *folder.parents) if p.exists())
            os.rmdir(tempfile.mkdtemp(dir=parent))  # access bits lie to root
        except OSError as error:
            raise _unwritable(folder, error) from error
        return folder

    @classmethod
    def create(cls, folder: Path, recipe: Recipe) -> "Store":
        """Start a run folder."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            store = cls(folder)
            write(folder / "recipe.json", dump(recipe).encode())
        except OSError as error:
            raise _unwritable(folder, error) from error
        return store

    @classmethod
    def open(cls, folder: str | Path) -> "Store":
        """Open the folder of an earlier run.

        Raises:
            InputError: It is no run folder, cannot be written, or is in use.
        """
        folder = existing(folder)
        try:
            return cls(folder)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def close(self) -> None:
        """Release the folder."""
        if self._log:
            self._log.close()
        self._lock.release()

    def record(self, event: Event) -> None:
        """Append an event to `events.jsonl`."""
        path = self.folder / "events.jsonl"
        try:
            if self._log is None:
                self._log = _open_log(path)
            self._log.write(codec.to_json(event).encode() + b"\n")
            self._log.flush()
        except OSError as error:
            raise _broken(path, error) from error

    def save_recipe(self, recipe: Recipe) -> None:
        """Write the recipe with what was changed while its run went on."""
        self._write(self.folder / "recipe.json", dump(recipe).encode())

    def save_state(self, state: dict[str, Any]) -> None:
        """Keep what `resume` needs, and let the oldest go."""
        known = states(self.folder)
        number = _number(known[-1]) + 1 if known else 1
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self._write(self.folder / "states" / f"{number:06d}.pt", buffer.getbuffer())
        for old in states(self.folder)[:-KEPT_STATES]:
            old.unlink()

    def save_result(
        self, weights: dict[str, Tensor] | None, summary: dict[str, Any]
    ) -> Path | None:
        """Write the pruned network and its summary; a finished run needs no states.

        Args:
            weights: Of the network; None where the last node of the timeline has them.
            summary: See `summarise`.

        Returns:
            The file of the network, if there is one.
        """
        path = None
        if weights is not None:
            tensors = {k: v.detach().cpu().contiguous() for k, v in weights.items()}
            path = self.folder / "model.safetensors"
            self._write(path, save(_unshared(tensors)))
        text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
        self._write(self.folder / "summary.json", text.encode())
        shutil.rmtree(self.folder / "states", ignore_errors=True)
        return path

    def _write(self, path: Path, content: bytes | memoryview) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            write(path, content)
        except OSError as error:
            raise _broken(path, error) from error


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"Cannot write to {folder}: {error.strerror}.",
        "Choose a folder you may write to.",
    )


def _broken(path: Path, error: OSError) -> RunError:
    return RunError(
        f"Cannot write {path}: {error.strerror}.",
        "Free disk space or mend the folder, then resume the run.",
    )


def _open_log(path: Path):
    """Open for appending; drop what a crash left of a line."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(path, whole)
    return path.open("ab")


def _number(path: Path) -> int:
    return int(path.stem)


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give tied weights storage of their own, which safetensors asks for."""
    seen: set[int] = set()
    result = {}
    for name, tensor in tensors.items():
        twice = tensor.data_ptr() in seen
        seen.add(tensor.data_ptr())
        result[name] = tensor.clone() if twice else tensor
    return result
