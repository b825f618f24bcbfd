"""Draft: what the person has typed, beside the last valid recipe."""

from typing import Any

from PySide6.QtCore import QObject, Signal

from app.workspace import Workspace
from engine.errors import InputError
from engine.part import Part, settings
from engine.recipe import Recipe, with_changes

WORDING = (
    ("Input should be", "It must be"),
    ("valid integer", "whole number"),
    ("valid number", "number"),
)


class Draft(QObject):
    """Tries each edit on the recipe; keeps what does not fit, with the reason.

    Keys are dotted, `estimator.samples`. The workspace's recipe stays valid: an edit
    that does not fit waits here and is tried again with every later edit, so two
    settings that are only valid together can be typed one after the other.
    """

    changed = Signal()  # a value, a kind or a problem: forms refresh

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._waiting: dict[str, Any] = {}
        self._problems: dict[str, str] = {}
        self._session = 0
        self._editing = False
        workspace.recipe_changed.connect(self._on_recipe)

    @property
    def problems(self) -> dict[str, str]:
        """One sentence per setting that does not fit; empty when all is valid."""
        return dict(self._problems)

    def part(self, group: str) -> type[Part]:
        """The class a group's form shows; a kind that does not fit yet counts."""
        kind = self._waiting.get(f"{group}.kind")
        if kind is not None:
            for part in _choices(group):
                if part.model_fields["kind"].default == kind:
                    return part
        return type(getattr(self._workspace.recipe, group))

    def value(self, key: str) -> Any:
        """What the form shows at this key: the waiting text, else the recipe's."""
        if key in self._waiting:
            return self._waiting[key]
        group, _, name = key.partition(".")
        now, shown = getattr(self._workspace.recipe, group), self.part(group)
        if type(now) is shown:
            return getattr(now, name)
        default = getattr(type(now)(), name, None)  # the new kind keeps what was set
        value = getattr(now, name, None)
        return getattr(shown(), name) if value == default else value

    def edit(self, key: str, raw: Any) -> None:
        """Try a new value; it becomes the recipe's or waits with a problem."""
        self._forget_lost_settings(key, raw)
        if not self._try({**self._waiting, key: raw}) and not self._try({key: raw}):
            self._waiting[key] = raw
        for other, value in tuple(self._waiting.items()):
            self._try({other: value})
        self._explain()
        self.changed.emit()

    def finish(self) -> None:
        """The person left the setting; the next edit is its own undo step."""
        self._session += 1

    def discard(self) -> None:
        """Give up everything that does not fit."""
        self._waiting.clear()
        self._problems.clear()
        self.changed.emit()

    def _try(self, changes: dict[str, Any]) -> bool:
        try:
            recipe = with_changes(self._workspace.recipe, changes)
        except InputError:
            return False
        for key in changes:
            self._waiting.pop(key, None)
        self._editing = True
        self._workspace.set_recipe(recipe, f"{'+'.join(changes)}#{self._session}")
        self._editing = False
        return True

    def _explain(self) -> None:
        """Give every waiting value its sentence."""
        self._problems = {}
        if not self._waiting:
            return
        try:
            with_changes(self._workspace.recipe, self._waiting)
        except InputError as error:
            details = [line.partition(": ") for line in error.details]
            for key in self._waiting:
                own = [
                    text
                    for at, _, text in details
                    if at == key or at.startswith(f"{key}.")
                ]
                anywhere = [text for _, _, text in details] or [error.message]
                self._problems[key] = _sentence((own or anywhere)[0])

    def _forget_lost_settings(self, key: str, raw: Any) -> None:
        """Drop waiting values of settings that the new kind does not have."""
        group, _, name = key.partition(".")
        if name != "kind":
            return
        self._waiting.pop(key, None)
        for part in _choices(group):
            if part.model_fields["kind"].default == raw:
                for other in tuple(self._waiting):
                    at, _, setting = other.partition(".")
                    if at == group and setting not in part.model_fields:
                        del self._waiting[other]

    def _on_recipe(self) -> None:
        if not self._editing:
            self.finish()
            self.discard()


def _choices(group: str) -> tuple[type[Part], ...]:
    parts = {setting.name: setting.choices for setting in settings(Recipe)}[group]
    return tuple(part for part in parts if "kind" in part.model_fields)


def _sentence(text: str) -> str:
    """A validation message as a sentence, such as `It must be at least 0`."""
    for theirs, ours in WORDING:
        text = text.replace(theirs, ours)
    text = text.partition(", unable to parse")[0].partition(", got a number")[0]
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
