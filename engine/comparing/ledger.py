"""The folder of a comparison: which cells are done, and the results for people."""

import csv
import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any

from engine.comparing.cells import COLUMNS, Cell, groups, rows
from engine.comparing.comparison import Comparison, parse_comparison, place
from engine.comparing.picture import picture
from engine.errors import InputError, RunError
from engine.records.contents import recipe_of
from engine.records.store import Store
from engine.records.timeline import NODES
from engine.records.whole import write

RESULTS = "compare.json"


class Ledger:
    """A comparison's folder, locked while open.

    Holds `cells/` (a run folder each), `compare.csv` (a row per cell), `compare.json`
    (the comparison, means and spreads, the cells) and `compare.svg`, where methods that
    repair are drawn apart.

    Args:
        spec: What is compared.
        folder: New, empty, or of the same comparison; it may have grown since.

    Attributes:
        cells: All, with what is known of each.

    Raises:
        InputError: The folder cannot be used; nothing was changed.
    """

    def __init__(self, spec: Comparison, folder: str | Path) -> None:
        self.spec, self.folder = spec, Path(folder).absolute()
        if (self.folder / RESULTS).exists():
            _agree(spec, comparison_of(self.folder)[0], self.folder)
        else:
            Store.check(self.folder)
        self.cells = [_known(self.folder, spec, cell) for cell in spec.cells()]
        self._lock: Store | None = None

    def __enter__(self) -> "Ledger":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = Store(self.folder)
        except OSError as error:
            raise InputError(
                f"Cannot write to {self.folder}: {error.strerror}.",
                "Choose a folder you may write to.",
            ) from error
        self._save()
        return self

    def __exit__(self, *failure: object) -> None:
        self._lock.close()

    def clear(self, cell: Cell) -> Path:
        """The cell's run folder, without what an unfinished run has left there."""
        path = _path(self.folder, cell)
        if path.exists():
            shutil.rmtree(path)
        return path

    def fill(self, number: int, error: str = "") -> Cell:
        """Take down how a cell ended; the files are as of now when this returns."""
        cell = self.cells[number]
        if error:
            self.cells[number] = dataclasses.replace(cell, error=error)
        else:
            if not self.spec.keep:
                _drop_networks(_path(self.folder, cell))
            self.cells[number] = _known(self.folder, self.spec, cell)
        self._save()
        return self.cells[number]

    def _save(self) -> None:
        told = groups(self.cells)
        dense = next((c.dense for c in self.cells if c.dense is not None), None)
        panels = {
            title: [g for g in told if self.spec.repairs(g.method) == mended]
            for title, mended in (("Without repair", False), ("With repair", True))
        }
        content = {
            "spec": self.spec.model_dump(mode="json"),
            "groups": [dataclasses.asdict(group) for group in told],
            "cells": [dataclasses.asdict(cell) for cell in self.cells],
        }
        files = {
            RESULTS: json.dumps(content, indent=2, allow_nan=False) + "\n",
            "compare.csv": table(self.cells),
            "compare.svg": picture(panels, dense),
        }
        try:
            for name, text in files.items():
                write(self.folder / name, text.encode())
        except OSError as error:
            raise RunError(
                f"Cannot write to {self.folder}: {error.strerror}.",
                "Free disk space or mend the folder, then give the command again.",
            ) from error


def table(cells: list[Cell]) -> str:
    """CSV: a line of names, then a row per cell that ended; empty is not known."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows(cells)])
    return text.getvalue()


def comparison_of(folder: str | Path) -> tuple[Comparison, tuple[Cell, ...]]:
    """What a folder compares, and what is known of its cells.

    Raises:
        InputError: It is not the folder of a comparison, or cannot be read.
    """
    path = Path(folder).absolute() / RESULTS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(Cell(**cell) for cell in content["cells"])
        return parse_comparison(content["spec"]), cells
    except OSError as error:
        raise InputError(
            f"Cannot read {path}: {error.strerror}.", "Choose a comparison's folder."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} does not hold a comparison.", "Choose another folder."
        ) from error


def _agree(spec: Comparison, before: Comparison, folder: Path) -> None:
    """Methods, sparsities and seeds may come and go; what one means may not change."""
    same = spec.recipe == before.recipe
    for name in set(spec.methods) & set(before.methods):
        same = same and spec.methods[name] == before.methods[name]
    if not same:
        raise InputError(
            f"{folder} holds a comparison of other settings.",
            "Choose a new folder; only more methods, sparsities and seeds may be added "
            "to one.",
        )


def _known(folder: Path, spec: Comparison, cell: Cell) -> Cell:
    """The cell with its results if its run is finished and whole, else as it is."""
    path = _path(folder, cell)
    if spec.keep and not (path / "model.safetensors").exists():
        return cell
    try:
        told = json.loads((path / "summary.json").read_text(encoding="utf-8"))
        if recipe_of(path) != spec.recipe_of(cell):
            return cell
        return _measured(cell, told)
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return cell  # half done, which is done again


def _measured(cell: Cell, told: dict[str, Any]) -> Cell:
    stages = ("dense", "pruned", "repaired", "final")
    accuracies = {name: told.get(name, {}).get("accuracy") for name in stages}
    return dataclasses.replace(
        cell,
        **accuracies,
        loss=told["final"]["loss"],
        predicted=_total(told["predicted"], "sum"),
        predicted_joint=_total(told["predicted"], "joint"),
        seconds=told["seconds"],
        peak_memory=told["peak_memory_bytes"],
    )


def _total(predictions: list[dict[str, Any]], name: str) -> float | None:
    values = [step[name] for step in predictions]
    return sum(values) if values and None not in values else None


def _path(folder: Path, cell: Cell) -> Path:
    return folder / "cells" / place(cell)


def _drop_networks(path: Path) -> None:
    """Leave the story and the numbers of a run."""
    for kept in ("states", NODES):
        shutil.rmtree(path / kept, ignore_errors=True)
    (path / "model.safetensors").unlink(missing_ok=True)
