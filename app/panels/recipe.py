"""RecipePanel: the recipe as a form in steps, from the network to the machine."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.forms.draft import Draft
from app.forms.group import GroupForm
from app.forms.words import DOT, summary
from app.panels.banner import Banner
from app.panels.section import Section
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
        self._column.setContentsMargins(8, 0, 8, 8)
        self._column.setSpacing(8)
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
        top = QVBoxLayout()
        top.setContentsMargins(8, 8, 8, 0)
        top.setSpacing(8)
        top.addWidget(self._lock)
        top.addWidget(self.banner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
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
            self.sections[title].show_state(DOT.join(each for each in shown if each), "".join(wrong[:1]))

    def reveal(self, key: str) -> None:
        """Open the step with this setting, scroll to it and give it the keyboard."""
        group, _, name = key.partition(".")
        for title, names in STEPS:
            if group in names:
                self.sections[title].set_open(True)
        row = self.forms[group].rows.get(name)
        if row is not None:
            self.scroll.ensureWidgetVisible(row)
            row.editor.setFocus()

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
            self._lock.tell("The recipe is locked while the run goes on.")
        else:
            self._lock.hide()
