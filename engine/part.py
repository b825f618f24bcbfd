"""Part, the frozen base of every setting group, and the one way to declare a field."""

import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

NOT_EDITED = ("kind", "version", "amendments")  # chosen, counted, recorded


class Part(BaseModel):
    """A frozen group of settings; unknown keys and non-finite numbers are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )


def field(
    default: Any,
    title: str,
    help: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    unit: str = "",
    special: str = "",
    path: Literal["", "file", "folder"] = "",
    advanced: bool = False,
    hidden: bool = False,
) -> Any:
    """Declare one setting: the form, the tooltip, `--set` and validation read this.

    Args:
        default: Its value when the recipe is silent.
        title: Its label, as the field says it.
        help: One sentence: what it does and what a good value is.
        ge: Smallest allowed value.
        gt: Exclusive lower bound.
        le: Largest allowed value.
        lt: Exclusive upper bound.
        unit: Shown behind the number.
        special: Words the form shows in place of the smallest value ("Whole layer").
        path: The text names a file or folder, so the form offers a chooser.
        advanced: The form folds it away.
        hidden: Edited elsewhere (a table, a dialog), so the form leaves it out.
    """
    extra = {
        "unit": unit,
        "special": special,
        "path": path,
        "advanced": advanced,
        "hidden": hidden,
    }
    return Field(
        default,
        title=title,
        description=help,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        json_schema_extra=extra,
    )


def one_of(*kinds: type[Part]) -> Any:
    """A choice among parts, told apart by their `kind`; a single one works too."""
    if len(kinds) == 1:
        return kinds[0]
    return Annotated[Union[kinds], Field(discriminator="kind")]  # noqa: UP007


@dataclass(frozen=True)
class Setting:
    """What a form needs to know of one field.

    Attributes:
        name: Its key in the part.
        type: `bool`, `int`, `float`, `str`, `"choice"`, `"list"`, `"part"`, or `"map"`
            of names to numbers.
        choices: Allowed values of a `"choice"`; the part classes of a `"part"`.
        item: Element type of a `"list"`.
        low, high: Inclusive bounds or None; those of a map are of its numbers.
        above, below: Exclusive ones.
    """

    name: str
    title: str
    help: str
    default: Any
    type: Any
    choices: tuple = ()
    item: type = str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    unit: str = ""
    special: str = ""
    path: str = ""
    advanced: bool = False
    hidden: bool = False


def settings(part: type[Part]) -> tuple[Setting, ...]:
    """The editable fields of a part: its own first, then inherited ones.

    Each group is in declaration order; what is `NOT_EDITED` is left out.
    """
    inherited = {name for base in part.__mro__[1:] for name in _fields(base)}
    names = sorted(_fields(part), key=lambda name: name in inherited)
    return tuple(
        _setting(name, part.model_fields[name])
        for name in names
        if name not in NOT_EDITED
    )


def title_of(part: type[Part]) -> str:
    """A part's name for people: the `title` of its model config, or its class."""
    return part.model_config.get("title") or part.__name__


def _fields(part: type) -> tuple[str, ...]:
    return tuple(getattr(part, "model_fields", ()))


def _setting(name: str, info: FieldInfo) -> Setting:
    kind, choices, item = _kind(info.annotation)
    bounds = {type(m).__name__.lower(): m for m in _limits(info)}
    low, high, above, below = (
        getattr(bounds.get(name), name, None) for name in ("ge", "le", "gt", "lt")
    )
    extra = info.json_schema_extra or {}
    return Setting(
        name=name,
        title=info.title or name.replace("_", " ").capitalize(),
        help=info.description or "",
        default=info.get_default(call_default_factory=True),
        type=kind,
        choices=choices,
        item=item,
        low=low,
        high=high,
        above=above,
        below=below,
        **extra,
    )


def _limits(info: FieldInfo) -> list[Any]:
    """Bounds of a number, or of the numbers in a map."""
    if get_origin(info.annotation) is dict:
        _, number = get_args(info.annotation)
        return [m for each in get_args(number)[1:] for m in each.metadata]
    return info.metadata


def _kind(annotation: Any) -> tuple[Any, tuple, type]:
    origin = get_origin(annotation)
    if origin is Literal:
        return "choice", get_args(annotation), str
    if origin is tuple:
        return "list", (), get_args(annotation)[0]
    if origin is dict:
        return "map", (), float
    if origin in (Union, types.UnionType):
        return "part", get_args(annotation), str
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return "part", (annotation,), str
    return annotation, (), str
