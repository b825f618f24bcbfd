"""The run folder: every file appears whole or not at all, old states rotate out."""

import io
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import load_file, save
from torch import Tensor

from engine.data.base import DataSpec
from engine.errors import InputError, RunError
from engine.events import DataLoaded, Event
from engine.recipe import Recipe, dump, load
from engine.records import codec, nodes
from engine.records.timeline import nodes_of
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
        states = self.folder / "states"
        known = _states(self.folder)
        number = _number(known[-1]) + 1 if known else 1
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self._write(states / f"{number:06d}.pt", buffer.getbuffer())
        for old in _states(self.folder)[:-KEPT_STATES]:
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


def existing(folder: str | Path) -> Path:
    """The folder, if it is a run folder.

    Raises:
        InputError: It is not.
    """
    folder = Path(folder).absolute()
    if not (folder / "recipe.json").is_file():
        raise InputError(
            f"{folder} is not a run folder.", "Choose a folder that has a recipe.json."
        )
    return folder


def replay(folder: str | Path, only: tuple[type[Event], ...] = ()) -> Iterator[Event]:
    """The events of a run in order; a last line cut short by a crash is left out.

    Args:
        folder: Of the run.
        only: Kinds of events; the lines of others are not parsed. None given is all.
    """
    path = existing(folder) / "events.jsonl"
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n") and (not only or codec.is_of(line, only)):
                    yield codec.from_json(line.decode("utf-8", "replace"))
    except OSError as error:
        raise InputError(
            f"Cannot read {path}: {error.strerror}.", "Choose a complete run folder."
        ) from error


def recipe_of(folder: str | Path) -> Recipe:
    """The recipe a run was started with, and what was changed while it went on."""
    return load(existing(folder) / "recipe.json")


def newest_state(
    folder: str | Path, on_broken: Callable[[Path], None] = lambda path: None
) -> dict[str, Any] | None:
    """The newest state that loads, or None when there is none.

    Args:
        folder: Of the run.
        on_broken: Hears of each newer state that does not load.
    """
    for path in reversed(_states(existing(folder))):
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # whatever a broken file raises, the older one is next
            on_broken(path)
            continue
        if isinstance(state, dict) and "model" in state:
            return state
        on_broken(path)
    return None


def spec_of(folder: str | Path) -> DataSpec:
    """Input shape and classes of a run, also where its images are no longer there.

    Raises:
        InputError: The run has not loaded its data yet.
    """
    for event in replay(folder):
        if isinstance(event, DataLoaded):
            return DataSpec(event.name, event.shape, event.classes)
    raise InputError(
        f"{folder} does not tell the shape of its data.", "Resume or repeat the run."
    )


def result_of(folder: str | Path) -> dict[str, Tensor] | None:
    """The network of a finished run; None of any other.

    A branch has it in the last node of its timeline only.

    Raises:
        InputError: It cannot be read.
    """
    folder = existing(folder)
    path = folder / "model.safetensors"
    if not path.exists():
        ended = (folder / "summary.json").exists() and nodes_of(folder)[-1:]
        whole = ended and ended[0].kind == "end"
        return nodes.load(folder, ended[0].node)["model"] if whole else None
    try:
        return load_file(path)
    except Exception as error:
        raise InputError(f"Cannot read {path}.", "Resume or repeat the run.") from error


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


def _states(folder: Path) -> list[Path]:
    found = (folder / "states").glob("*.pt")
    return sorted(p for p in found if re.fullmatch(r"\d+", p.stem))


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
