"""RecipePanel: the recipe as a form in steps, from the network to the machine."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.banner import Banner
from app.forms.draft import Draft
from app.forms.group import GroupForm
from app.forms.section import Section
from app.forms.words import DOT, summary
from app.workspace import Workspace
from engine.part import Setting, settings
from engine.recipe import Recipe

STEPS = (
    ("Model", ("model",)),
    ("Data", ("data",)),
    ("Method", ("estimator", "pattern")),
    ("Target", ("allocation",)),
    ("Schedule", ("schedule",)),
    ("Fine-tune", ("finetune", "repair")),
    ("Machine", ("machine",)),
)
OPEN_AT_FIRST = ("Method", "Target")


class RecipePanel(QWidget):
    """All steps under each other, several may be open; each sums itself up."""

    def __init__(
        self, workspace: Workspace, draft: Draft, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._draft = draft
        self.banner = Banner(parent=self)  # the network or its data cannot be loaded
        self._lock = Banner(parent=self)
        inside = QWidget(self)
        inside.setObjectName("sections")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(8)
        self._column.addWidget(self._lock)
        self._column.addWidget(self.banner)
        groups = {setting.name: setting for setting in settings(Recipe)}
        self.forms: dict[str, GroupForm] = {}
        self.sections: dict[str, Section] = {}
        for number, (title, names) in enumerate(STEPS, 1):
            body = self._body([groups[name] for name in names])
            section = Section(number, title, body)
            section.set_open(title in OPEN_AT_FIRST)
            self.sections[title] = section
            self._column.addWidget(section)
        self._column.addStretch(1)
        self.scroll = scroll = QScrollArea(self)
        scroll.setObjectName("recipe")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        self.setMinimumWidth(320)
        draft.changed.connect(self.refresh)
        workspace.recipe_changed.connect(self.refresh)
        workspace.state_changed.connect(self._on_state)
        self.refresh()

    def refresh(self) -> None:
        """Tell in every header what the step says, or what does not fit."""
        problems = self._draft.problems
        for title, names in STEPS:
            wrong = [
                text for key, text in problems.items() if key.partition(".")[0] in names
            ]
            parts = [getattr(self._workspace.recipe, name) for name in names]
            shown = [
                summary(part)
                for name, part in zip(names, parts, strict=True)
                if not self.forms[name].empty
            ]
            self.sections[title].show_state(
                DOT.join(each for each in shown if each), "".join(wrong[:1])
            )

    def tell(
        self, message: str, level: str, button: str, action: Callable[[], object]
    ) -> None:
        """Say above the steps what is wrong with the network or its data."""
        self.banner.tell(message, level, button, action)
        self.scroll.verticalScrollBar().setValue(0)

    def _body(self, groups: list[Setting]) -> QWidget:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for group in groups:
            form = self.forms[group.name] = GroupForm(group, self._draft, body)
            if form.empty:
                form.hide()
            elif column.count() and not form.has_kind:
                heading = QLabel(group.title, body)
                heading.setProperty("role", "title")
                column.addWidget(heading)
            column.addWidget(form)
        return body

    def _on_state(self, state: str) -> None:
        """A run has its own copy of the recipe; editing waits until it ends."""
        busy = state != "idle"
        for form in self.forms.values():
            form.setEnabled(not busy)
        if busy:
            self._lock.tell(
                "The recipe is locked until this ends. What is still to come of a run "
                "can be changed in the view Schedule."
            )
        else:
            self._lock.hide()
