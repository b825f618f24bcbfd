"""What a run folder holds: its recipe, events, states and network."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.events import DataLoaded, Event
from engine.recipe import Recipe, load
from engine.records import codec, nodes
from engine.records.timeline import nodes_of


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
    for path in reversed(states(existing(folder))):
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


def states(folder: Path) -> list[Path]:
    """Files of the states that can be resumed from, the oldest first."""
    found = (folder / "states").glob("*.pt")
    return sorted(p for p in found if re.fullmatch(r"\d+", p.stem))
