"""Opening: what a file or folder means to the recipe."""

from dataclasses import dataclass
from pathlib import Path

from engine import comparison_of, recipe_of
from engine.errors import InputError
from engine.recipe import Recipe, load, with_changes

CHECKPOINTS = (".pth", ".pt", ".safetensors")
FILTERS = {
    "model": "Networks and checkpoints (*.py *.pth *.pt *.safetensors)",
    "recipe": "Recipes (*.json)",
    "comparison": "Comparisons (*.json)",
}


@dataclass(frozen=True)
class Opened:
    """A recipe to show, and the folder of the run or comparison it came from."""

    recipe: Recipe
    run: Path | None = None
    comparison: Path | None = None


def open_path(path: Path, recipe: Recipe) -> Opened:
    """Read a recipe, a run or comparison, a network, a checkpoint, or images.

    Args:
        path: What was opened or dropped.
        recipe: The present one; a network or images only change their group.

    Raises:
        InputError: It is none of these.
    """
    path = path.expanduser().absolute()
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"{path} does not exist.", "Check the path.")
    if path.is_dir():
        if (path / "recipe.json").is_file():
            return Opened(recipe_of(path), path)
        if (path / "compare.json").is_file():
            return Opened(comparison_of(path)[0].recipe, comparison=path)
        changes = {"data.kind": "image_folder", "data.folder": str(path)}
    elif suffix == ".json":
        return Opened(load(path))
    elif suffix == ".py":
        changes = {"model.kind": "file", "model.file": str(path)}
    elif suffix in CHECKPOINTS:
        changes = {"model.checkpoint": str(path)}
    elif suffix == ".npz":
        changes = {"data.kind": "arrays", "data.file": str(path)}
    else:
        raise InputError(
            f"{path.name} is not a file this program knows.",
            "Open a recipe (.json), a run folder, a network (.py), a checkpoint "
            "(.pth, .pt, .safetensors), a folder of images or arrays (.npz).",
        )
    return Opened(with_changes(recipe, changes))
