"""Recipe: everything about a run, frozen, as one JSON file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, model_validator

from engine.allocation import ALLOCATIONS
from engine.data import DATASETS
from engine.errors import InputError
from engine.estimators import ESTIMATORS
from engine.models import MODELS
from engine.part import Part, field, one_of, settings
from engine.patterns import PATTERNS
from engine.schedules import SCHEDULES
from engine.settings import Checks, Finetune, Machine, Repair

VERSION = 1
BOUNDS = ("less_than", "less_than_equal", "greater_than", "greater_than_equal")
LARGEST = 1_000_000  # bytes of a recipe file


class Recipe(Part):
    """All settings of a run; `Recipe()` prunes the demo network on the digits."""

    model_config = ConfigDict(title="Recipe")
    version: int = field(VERSION, "Version", "Of the recipe format.", ge=1, le=VERSION)
    model: one_of(*MODELS) = field(MODELS[0](), "Model", "The network to prune.")
    data: one_of(*DATASETS) = field(DATASETS[0](), "Data", "Images to prune it with.")
    estimator: one_of(*ESTIMATORS) = field(
        ESTIMATORS[0](), "Method", "What tells which weights matter."
    )
    pattern: one_of(*PATTERNS) = field(
        PATTERNS[0](), "Pattern", "Which sets of weights go together."
    )
    allocation: one_of(*ALLOCATIONS) = field(
        ALLOCATIONS[0](), "Target", "How much goes, and where."
    )
    schedule: one_of(*SCHEDULES) = field(SCHEDULES[0](), "Schedule", "When to prune.")
    repair: Repair = field(Repair(), "Repair", "Mending without labels.")
    finetune: Finetune = field(Finetune(), "Fine-tuning", "Training with masks held.")
    checks: Checks = field(Checks(), "Checks", "How far to trust predictions.")
    machine: Machine = field(Machine(), "Machine", "Device and seed.")

    @model_validator(mode="before")
    @classmethod
    def _default_kinds(cls, content: Any) -> Any:
        """A group that names no kind means the group's default kind."""
        if not isinstance(content, Mapping):
            return content
        filled = dict(content)
        for setting in settings(cls):
            group = filled.get(setting.name)
            if isinstance(group, Mapping) and "kind" not in group:
                kind = getattr(setting.default, "kind", None)
                filled[setting.name] = {"kind": kind, **group} if kind else group
        return filled

    @model_validator(mode="after")
    def _schedule_fits(self) -> "Recipe":
        try:
            self.schedule.levels(self.allocation.sparsity, self.finetune.epochs)
        except InputError as error:
            raise ValueError(f"{error.message} {error.hint}") from error
        return self

    @model_validator(mode="after")
    def _order_fits(self) -> "Recipe":
        greedy = getattr(self.estimator, "order", "") == "greedy"
        if greedy and self.pattern.kind != "unstructured":
            raise ValueError(
                "Greedy elimination takes single weights, so it goes with the "
                "unstructured pattern. Set the elimination order (estimator.order) to "
                "independent."
            )
        return self


def parse(content: Any) -> Recipe:
    """A recipe from plain JSON content.

    Raises:
        InputError: Names every wrong key, its value and what is allowed.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        lines = problems(error)
        first = "; ".join(f"{key}: {text}" if key else text for key, text in lines[:3])
        raise InputError(
            f"The recipe is not valid: {first}.",
            "Correct these keys; `python -m engine settings` lists all of them.",
            tuple(f"{key}: {text}" for key, text in lines),
        ) from error


def problems(error: ValidationError) -> list[tuple[str, str]]:
    """(dotted key, sentence) for each complaint, union tags left out of the key."""
    lines = []
    for item in error.errors():
        at = [str(part) for part in item["loc"]]
        if len(at) > 2 and at[0] in Recipe.model_fields:
            at = [at[0], *at[2:]] if _is_union(at[0]) else at
        text = item["msg"].removeprefix("Value error, ").rstrip(".")
        if item["type"] == "extra_forbidden":
            text = "there is no such setting"
        elif item["type"] == "union_tag_invalid":
            told = item["ctx"]
            text = f"there is no kind '{told['tag']}'; use {told['expected_tags']}"
        elif item["type"] in BOUNDS:
            text = f"{text}, not {item['input']}"
        elif item["type"] in ("model_type", "model_attributes_type"):
            text = "It must be a group of settings in braces"
        lines.append((".".join(at), text))
    return lines


def load(path: str | Path) -> Recipe:
    """Read a recipe file.

    Raises:
        InputError: It is missing, too large, not JSON or not a valid recipe.
    """
    return parse(read_json(path, "recipe"))


def read_json(path: str | Path, what: str) -> Any:
    """The content of a small JSON file that holds a `what`.

    Raises:
        InputError: It is missing, too large or not JSON.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{path} is too large for a {what}.", f"Choose a {what} .json file."
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Cannot read the {what} {path}: {error.strerror}.", "Check the path."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not a JSON file.", f"Choose a {what} .json file."
        ) from error


def dump(recipe: Recipe) -> str:
    """The recipe as indented JSON, every setting spelled out."""
    return json.dumps(recipe.model_dump(mode="json"), indent=2) + "\n"


def with_changes(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A new recipe with dotted keys changed, `{"estimator.samples": 100}`.

    Changing a group's `kind` keeps the settings that both kinds have.

    Raises:
        InputError: A key does not exist or a value does not fit.
    """
    content = recipe.model_dump(mode="json")
    kinds = {key: value for key, value in changes.items() if key.endswith(".kind")}
    for key, value in {**kinds, **changes}.items():
        group, _, name = key.partition(".")
        if group not in content or not isinstance(content[group], dict) or not name:
            raise InputError(
                f"There is no setting {key!r}.",
                "Write group.setting=value, such as estimator.samples=500.",
            )
        if name == "kind":
            content[group] = _changed_kind(group, content[group], value)
        else:
            content[group][name] = value
    return parse(content)


def _changed_kind(group: str, content: dict, kind: Any) -> dict:
    """Keep what the person set and both kinds have; defaults are each kind's own."""
    parts = {part.model_fields["kind"].default: part for part in _kinds(group)}
    if kind not in parts:
        return {"kind": kind}
    old = parts[content["kind"]]().model_dump(mode="json")
    known = parts[kind].model_fields
    shared = {k: v for k, v in content.items() if k in known and v != old[k]}
    return {**shared, "kind": kind}


def _kinds(group: str) -> tuple:
    choices = {s.name: s.choices for s in settings(Recipe)}[group]
    return tuple(part for part in choices if "kind" in part.model_fields)


def _is_union(group: str) -> bool:
    return len(_kinds(group)) > 1
