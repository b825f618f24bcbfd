"""The manual of a recipe: every setting with its default, range and help."""

from engine.part import Part, Setting, settings, title_of
from engine.recipe import Recipe
from engine.words import written

HEAD = (
    "Every setting as `group.setting = default (what it may be)`; in a recipe file a "
    "group\nis an object, and `--set group.setting=value` changes one. Lists and maps "
    "are\nwritten with commas, --set allocation.floor='fc=0.5, layer3=0.9', or as JSON."
)


def manual() -> str:
    """All groups, and all kinds of a group."""
    lines = [HEAD]
    for group in settings(Recipe):
        for part in group.choices:
            named = "kind" in part.model_fields
            kind = f".kind={part.model_fields['kind'].default}" if named else ""
            lines.append(f"\n{group.name}{kind}  {title_of(part)}")
            lines += [f"  {line}" for line in _part_lines(group.name, part)]
    return "\n".join(lines) + "\n"


def allowed(setting: Setting) -> str:
    """What a setting may be: its choices, its range, or how it is written."""
    if setting.type == "choice":
        return ", ".join(map(str, setting.choices))
    if setting.type is bool:
        return "true or false"
    form = written.form(setting)
    told = [f"such as {form}"] if form else []
    each = " each" if setting.type == "map" else ""
    told += [" ".join(filter(None, (_range(setting) + each, setting.unit)))]
    if setting.special and setting.type in (int, float):
        told.append(f"{setting.low} is {setting.special.lower()}")
    return "; ".join(filter(None, told))


def _range(setting: Setting) -> str:
    """`0 to 1`, `above 0 to below 1`, `at least 1`."""
    low = "" if setting.low is None else str(setting.low)
    low = low if setting.above is None else f"above {setting.above}"
    high = "" if setting.high is None else str(setting.high)
    high = high if setting.below is None else f"below {setting.below}"
    if low and high:
        return f"{low} to {high}"
    if low:
        return low if setting.above is not None else f"at least {low}"
    return high if setting.below is not None or not high else f"at most {high}"


def _part_lines(group: str, part: type[Part]) -> list[str]:
    lines = []
    for setting in settings(part):
        may = allowed(setting)
        default = written.write(setting.default) or "''"
        lines.append(f"{group}.{setting.name} = {default}{f' ({may})' if may else ''}")
        lines.append(f"    {setting.help}")
    return lines
