"""Recipe: everything about a run, frozen, as one JSON file."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ConfigDict, ValidationError, model_validator

from engine.allocation import ALLOCATIONS
from engine.amendment import Amendment
from engine.data import DATASETS
from engine.errors import InputError
from engine.estimators import ESTIMATORS
from engine.models import MODELS
from engine.part import Part, Setting, field, one_of, settings
from engine.patterns import PATTERNS
from engine.reading import read_json
from engine.schedules import SCHEDULES
from engine.settings import Checks, Finetune, Machine, Repair
from engine.words import written

VERSION = 1
BOUNDS = ("less_than", "less_than_equal", "greater_than", "greater_than_equal")


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
    amendments: tuple[Amendment, ...] = field(
        (), "Amendments", "Changes that were made while the run went on, in order."
    )

    @property
    def bootstrap(self) -> int:
        """Bootstrap samples to take: they tell of weights that go one by one."""
        return self.checks.bootstrap if self.pattern.single else 0

    def amended(self, count: int) -> "Recipe":
        """The recipe as it is in force once so many amendments hold.

        Raises:
            InputError: They do not fit.
        """
        held = (each.changes for each in self.amendments[:count])
        return with_changes(self, {k: v for each in held for k, v in each.items()})

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
    def _steps_can_be_judged(self) -> "Recipe":
        if self.schedule.adaptive and not self.checks.images:
            raise ValueError(
                "Steps are halved by what the check images tell, and there are none. "
                "Set checks.images to 200 or schedule.adaptive to 0."
            )
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


def parse(
    content: Any,
    source: str = "The recipe",
    said: Mapping[str, str] = MappingProxyType({}),
) -> Recipe:
    """A recipe from plain JSON content.

    Args:
        content: Of a recipe file.
        source: What a complaint calls it.
        said: How a person wrote the changes that are in it already, by dotted key.

    Raises:
        InputError: Names every wrong key or change, its value and what is allowed.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise _refusal(problems(error), source, said) from error


def _refusal(
    lines: list[tuple[str, str]], source: str, said: Mapping[str, str]
) -> InputError:
    """Names the changes that set wrong keys, and the source of all other wrong ones."""
    items, heads = [], []
    for key, text in lines:
        own = [how for at, how in said.items() if f"{key}.".startswith(f"{at}.")]
        items.append(f"{own[-1] if own else key}: {text}")
        if not own:  # a rule over several settings has their group's key, or none
            group = f"{key}." if key else ""
            near = ", ".join(how for at, how in said.items() if at.startswith(group))
            heads.append(f"{source} with {near}" if near else source)
    head = f"{heads[0]} is" if heads else "The changes are"
    forms = [form for form in (_form(key) for key, _ in lines) if form]
    told = "; ".join(item.removeprefix(": ") for item in items[:3])
    hint = "Correct this; `python -m engine settings` lists all settings."
    return InputError(
        f"{head} not valid: {told}.",
        " ".join([hint, *forms[:1]]),
        tuple(items),
    )


def _form(key: str) -> str:
    """How the list or map with this key is written."""
    group, _, rest = key.partition(".")
    name = rest.partition(".")[0]
    setting = setting_of(group, name)
    form = written.form(setting) if setting else ""
    return f"Write --set {group}.{name}='{form}'." if form else ""


def setting_of(group: str, name: str) -> Setting | None:
    """A setting by its key, of whichever kind has it: they agree on its type."""
    parts = {each.name: each.choices for each in settings(Recipe)}.get(group, ())
    found = (each for part in parts for each in settings(part) if each.name == name)
    return next(found, None)


def problems(error: ValidationError) -> list[tuple[str, str]]:
    """(dotted key, sentence) for each complaint, union tags left out of the key."""
    lines = []
    for item in error.errors():
        at = [str(part) for part in item["loc"]]
        if len(at) > 1 and at[0] in Recipe.model_fields:
            at = [at[0], *at[2:]] if _is_union(at[0]) else at
        text = item["msg"].removeprefix("Value error, ").rstrip(".")
        if item["type"] == "extra_forbidden":
            text = f"there is no such setting{_nearest(at)}"
        elif item["type"] == "union_tag_invalid":
            at, told = [*at, "kind"], item["ctx"]
            text = f"there is no kind '{told['tag']}'; use {told['expected_tags']}"
        elif item["type"] in BOUNDS:
            text = f"{text}, not {item['input']}"
        elif item["type"] in ("model_type", "model_attributes_type"):
            text = "It must be a group of settings in braces"
        lines.append((".".join(at), text))
    return lines


def _nearest(at: list[str]) -> str:
    """The setting that was probably meant, in words."""
    groups = {each.name: each.choices for each in settings(Recipe)}
    parts = groups.get(at[0], ()) if len(at) > 1 else ()
    known = {each.name for part in parts for each in settings(part)} or set(groups)
    found = get_close_matches(at[-1], sorted(known), 1)
    return f" (perhaps {found[0]})" if found else ""


def load(path: str | Path) -> Recipe:
    """Read a recipe file.

    Raises:
        InputError: It is missing, too large, not JSON or not a valid recipe.
    """
    return parse(read_json(path, "recipe"), str(path))


def dump(recipe: Recipe) -> str:
    """The recipe as indented JSON, every setting spelled out."""
    return json.dumps(recipe.model_dump(mode="json"), indent=2) + "\n"


def with_changes(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A new recipe with dotted keys changed, `{"estimator.samples": 100}`.

    Changing a group's `kind` keeps the settings that both kinds have.

    Raises:
        InputError: A key does not exist or a value does not fit.
    """
    return parse(changed(recipe.model_dump(mode="json"), changes))


def changed(content: Any, changes: Mapping[str, Any]) -> Any:
    """The content of a recipe file, valid or not, with dotted keys changed.

    Raises:
        InputError: There is no such group of settings.
    """
    if not isinstance(content, Mapping):
        return content  # and no recipe, which parsing it says
    found = dict(content)
    groups = {group.name for group in settings(Recipe)}
    kinds = {key: value for key, value in changes.items() if key.endswith(".kind")}
    for key, value in {**kinds, **changes}.items():
        group, _, name = key.partition(".")
        if group not in groups or not name:
            raise InputError(
                f"There is no setting {key!r}.",
                "Write group.setting=value, such as estimator.samples=500.",
            )
        old = found.get(group, {})
        if isinstance(old, Mapping) and name == "kind":
            found[group] = _changed_kind(group, old, value)
        elif isinstance(old, Mapping):
            found[group] = {**old, name: value}
    return found


def _changed_kind(group: str, content: Mapping, kind: Any) -> dict:
    """Keep what the person set and both kinds have; defaults are each kind's own.

    What the old kind does not have either stays, so that parsing complains of it.
    """
    parts = {part.model_fields["kind"].default: part for part in _kinds(group)}
    now = content.get("kind", getattr(Recipe.model_fields[group].default, "kind", None))
    old, new = (
        parts.get(each) if isinstance(each, str) else None for each in (now, kind)
    )
    if old is None or new is None:
        return {**content, "kind": kind}
    defaults = old().model_dump(mode="json")
    shared = {
        key: value
        for key, value in content.items()
        if key not in defaults or (key in new.model_fields and value != defaults[key])
    }
    return {**shared, "kind": kind}


def _kinds(group: str) -> tuple:
    choices = {s.name: s.choices for s in settings(Recipe)}.get(group, ())
    return tuple(part for part in choices if "kind" in part.model_fields)


def _is_union(group: str) -> bool:
    return len(_kinds(group)) > 1
