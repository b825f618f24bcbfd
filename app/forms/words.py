"""Words: how values of settings read on screen."""

from pathlib import PurePath
from typing import Any

from engine.part import Part, Setting, settings, title_of

DOT = " \N{MIDDLE DOT} "
SPELLED = {
    "sgd": "SGD",
    "adamw": "AdamW",
    "cpu": "CPU",
    "cuda": "CUDA GPU",
    "crop_flip": "Crop and flip",
}


def visible(part: type[Part]) -> tuple[Setting, ...]:
    """The settings a form shows: what sets this kind apart first, then the shared."""
    shared = {name for base in part.__bases__ for name in base.model_fields}
    shown = [setting for setting in settings(part) if not setting.hidden]
    return tuple(sorted(shown, key=lambda setting: setting.name in shared))


def choice_words(choice: Any) -> str:
    """A choice as the combo shows it: `every_step` reads "Every step"."""
    text = str(choice)
    return SPELLED.get(text, text.replace("_", " ").strip().capitalize())


def number_words(value: int | float) -> str:
    """A number as people write it: `0.9`, `1e-5`, `2000`."""
    if isinstance(value, int):
        return str(value)
    mantissa, e, exponent = f"{value:.10g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def summary(part: Part) -> str:
    """A part in one line: its kind, its leading number, and what is not default."""
    fields = visible(type(part))
    first = next((setting for setting in fields if not setting.advanced), None)
    told = []
    for setting in fields:
        value = getattr(part, setting.name)
        main = setting is first and setting.type in (int, float)
        if main or value != setting.default:
            told.append(_told(setting, value))
    kind = [title_of(type(part))] if "kind" in type(part).model_fields else []
    return DOT.join([*kind, *told])


def _told(setting: Setting, value: Any) -> str:
    if setting.type is bool:
        return setting.title if value else f"not: {setting.title}"
    if setting.type == "choice":
        return f"{setting.title} {choice_words(value).lower()}"
    if setting.path:
        return PurePath(value).name
    if setting.type in ("list", "map"):
        return f"{setting.title} {len(value)}"
    if setting.special and value == setting.low:
        return f"{setting.title} {setting.special.lower()}"
    text = number_words(value) if isinstance(value, int | float) else str(value)
    return f"{setting.title} {text}"
