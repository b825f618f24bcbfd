"""Naming: what a new run folder is called."""

import re
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


def branch_folder(folder: Path) -> Path:
    """`20260131-142501-demo-woodfisher-90-branch` beside a run, numbered if it exists.

    Branches of branches are numbered on.
    """
    name = re.sub(r"-branch(-\d+)?$", "", folder.name)
    return _unused(folder.parent, f"{name}-branch")


def _new(parent: Path, now: datetime, *words: str) -> Path:
    return _unused(parent, "-".join((now.strftime("%Y%m%d-%H%M%S"), *words)))


def _unused(parent: Path, name: str) -> Path:
    folder, number = parent / name, 1
    while folder.exists():
        number += 1
        folder = parent / f"{name}-{number}"
    return folder
