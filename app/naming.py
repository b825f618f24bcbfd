"""Naming: what a new run folder is called."""

from datetime import datetime
from pathlib import Path

from app.forms.words import number_words
from engine.comparing.comparison import Comparison
from engine.recipe import Recipe


def run_folder(parent: Path, recipe: Recipe, now: datetime) -> Path:
    """`20260131-142501-demo-woodfisher-90` in `parent`, numbered if it exists."""
    sparsity = number_words(round(100 * recipe.allocation.sparsity, 2))
    return _new(parent, now, recipe.model.kind, recipe.estimator.kind, sparsity)


def comparison_folder(parent: Path, spec: Comparison, now: datetime) -> Path:
    """`20260131-142501-demo-comparison` in `parent`, numbered if it exists."""
    return _new(parent, now, spec.recipe.model.kind, "comparison")


def _new(parent: Path, now: datetime, *words: str) -> Path:
    name = "-".join((now.strftime("%Y%m%d-%H%M%S"), *words))
    folder, number = parent / name, 1
    while folder.exists():
        number += 1
        folder = parent / f"{name}-{number}"
    return folder
