"""Comparison: methods x sparsities x seeds on one network, as one JSON file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, model_validator

from engine.comparing.cells import Cell
from engine.errors import InputError
from engine.part import Part, field
from engine.reading import read_json
from engine.recipe import Recipe, parse, problems, with_changes

MOST = 10_000  # cells
SPARSITY, SEED = "allocation.sparsity", "machine.seed"
SHORT = '"methods": {"WoodFisher": {}, "Magnitude": {"estimator.kind": "magnitude"}}'
EXAMPLE = """\
{"recipe": {"allocation": {"exclude": ["fc"]}, "finetune": {"epochs": 0}},
 "methods": {"Magnitude": {"estimator.kind": "magnitude"},
             "WoodFisher": {"estimator.samples": 400},
             "WoodFisher, 8 steps": {"schedule.recomputations": 8}},
 "sparsities": [0.5, 0.8, 0.9],
 "seeds": [0, 1, 2]}
"""


class Comparison(Part):
    """Every method at every sparsity from every seed; each cell is a run."""

    model_config = ConfigDict(title="Comparison")
    recipe: Recipe = field(Recipe(), "Recipe", "What all cells share.")
    methods: dict[str, dict[str, Any]] = field(
        ..., "Methods", "Names, and the settings by which each changes the recipe."
    )
    sparsities: tuple[float, ...] = field(
        ..., "Sparsities", "Fractions of the prunable weights that will be zero."
    )
    seeds: tuple[int, ...] = field((0,), "Seeds", "One run of each method for each.")
    keep: bool = field(
        False, "Keep the networks", "Write the pruned network of every cell."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> "Comparison":
        for name in ("methods", "sparsities", "seeds"):
            values = list(getattr(self, name))
            if not values:
                raise ValueError(f"{name} is empty")
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names one twice")
        slugs = [_slug(method) for method in self.methods]
        if not all(slugs) or len(set(slugs)) < len(slugs):
            raise ValueError("methods need names of distinct letters and digits")
        if len(self.methods) * len(self.sparsities) * len(self.seeds) > MOST:
            raise ValueError(f"there are more than {MOST:,} cells")
        for method, changes in self.methods.items():
            for key in {SPARSITY, SEED} & set(changes):
                raise ValueError(f"{method} sets {key}, which is an axis of the table")
        for method in self.methods:
            for sparsity in self.sparsities:
                self._check(Cell(method, sparsity, self.seeds[0]))
        for seed in self.seeds:
            self._check(Cell(next(iter(self.methods)), self.sparsities[0], seed))
        return self

    def cells(self) -> Iterator[Cell]:
        """In the order of work: a whole picture with the first seed, then its spread.

        Each has its own run folder, `place`, and its own recipe, `recipe_of`.
        """
        for seed in self.seeds:
            for method in self.methods:
                for sparsity in self.sparsities:
                    yield Cell(method, sparsity, seed)

    def recipe_of(self, cell: Cell) -> Recipe:
        """What the cell runs.

        Raises:
            InputError: A setting of its method does not exist or does not fit.
        """
        axes = {SPARSITY: cell.sparsity, SEED: cell.seed}
        return with_changes(self.recipe, {**self.methods[cell.method], **axes})

    def repairs(self, method: str) -> bool:
        """Whether the method mends the network without labels."""
        repair = self.recipe_of(Cell(method, self.sparsities[0], self.seeds[0])).repair
        return repair.due("end") or repair.due("every_step")

    def _check(self, cell: Cell) -> None:
        try:
            self.recipe_of(cell)
        except InputError as error:
            where = f"{cell.method} at {cell.sparsity:g}, seed {cell.seed}"
            raise ValueError(f"{where}: {error.message.rstrip('.')}") from error


def place(cell: Cell) -> str:
    """The name of a cell's run folder: `woodfisher-0.9-0`."""
    return f"{_slug(cell.method)}-{cell.sparsity!r}-{cell.seed}"


def parse_comparison(content: Any) -> Comparison:
    """A comparison from plain JSON content.

    Raises:
        InputError: Names every wrong key, its value and what is allowed.
    """
    try:
        if isinstance(content, dict):
            content = {**content, "recipe": parse(content.get("recipe", {}))}
        return Comparison.model_validate(content)
    except ValidationError as error:
        lines = [f"{key}: {text}" if key else text for key, text in problems(error)]
        raise InputError(
            f"The comparison is not valid: {'; '.join(lines[:3])}.",
            f"It needs methods and sparsities (0.5 is 50 %), such as {SHORT}.",
            tuple(lines),
        ) from error


def load_comparison(path: str | Path) -> Comparison:
    """Read a comparison file.

    Raises:
        InputError: It is missing, too large, not JSON or not a valid comparison.
    """
    return parse_comparison(read_json(path, "comparison"))


def dump_comparison(spec: Comparison) -> str:
    """The comparison as indented JSON, every setting spelled out."""
    return json.dumps(spec.model_dump(mode="json"), indent=2) + "\n"


def _slug(name: str) -> str:
    return re.sub(r"[^\w.+]+", "-", name).strip("-.").lower()[:60]
