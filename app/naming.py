"""Naming: what a new run folder is called."""

from datetime import datetime
from pathlib import Path

from app.forms.words import number_words
from engine.recipe import Recipe


def run_folder(parent: Path, recipe: Recipe, now: datetime) -> Path:
    """`20260131-142501-demo-woodfisher-90` in `parent`, numbered if it exists."""
    sparsity = number_words(round(100 * recipe.allocation.sparsity, 2))
    name = "-".join(
        (
            now.strftime("%Y%m%d-%H%M%S"),
            recipe.model.kind,
            recipe.estimator.kind,
            sparsity,
        )
    )
    folder, number = parent / name, 1
    while folder.exists():
        number += 1
        folder = parent / f"{name}-{number}"
    return folder
