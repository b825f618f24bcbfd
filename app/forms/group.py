"""GroupForm: the settings of one recipe group, its kind first, the rare ones folded."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from app.forms.draft import Draft
from app.forms.editors import ChoiceEditor
from app.forms.row import Row
from app.forms.words import visible
from engine.part import Part, Setting, title_of


class GroupForm(QWidget):
    """A form for `setting`, a field of the recipe whose value is a part.

    Args:
        setting: The recipe's field, such as `estimator`.
        draft: Holds the values and the problems; the form writes back through it.
        parent: Qt's.
    """

    def __init__(
        self, setting: Setting, draft: Draft, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._group = setting.name
        self._draft = draft
        self._part: type[Part] | None = None
        self._rows: dict[str, Row] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._kind = self._kind_row(setting) if len(setting.choices) > 1 else None
        self._fields = QWidget(self)
        self._column.addWidget(self._fields)
        self._open = False
        draft.changed.connect(self.refresh)
        self.refresh()

    @property
    def rows(self) -> dict[str, Row]:
        """The rows on show by setting name; `kind` too when there is a choice."""
        return {**({"kind": self._kind} if self._kind else {}), **self._rows}

    @property
    def has_kind(self) -> bool:
        """Whether there is a choice of kinds."""
        return self._kind is not None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to choose or set."""
        return not self.rows

    def refresh(self) -> None:
        """Show the draft's kind, values and problems."""
        part = self._draft.part(self._group)
        if part is not self._part:
            self._part = part
            self._build(part)
        problems = self._draft.problems
        if self._kind:
            kind = part.model_fields["kind"].default
            self._kind.show_value(kind, problems.get(f"{self._group}.kind", ""))
        for name, row in self._rows.items():
            key = f"{self._group}.{name}"
            row.show_value(self._draft.value(key), problems.get(key, ""))

    def _kind_row(self, setting: Setting) -> Row:
        choices = tuple(
            (title_of(part), part.model_fields["kind"].default)
            for part in setting.choices
        )
        row = Row(setting.title, setting.help, ChoiceEditor(choices))
        self._connect("kind", row)
        self._column.addWidget(row)
        return row

    def _build(self, part: type[Part]) -> None:
        fields = QWidget(self)
        column = QVBoxLayout(fields)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._rows = {}
        for setting in (s for s in visible(part) if not s.advanced):
            column.addWidget(self._row(setting))
        folded = [setting for setting in visible(part) if setting.advanced]
        if folded:
            self._add_fold(column, folded)
        self._column.replaceWidget(self._fields, fields)
        self._fields.hide()
        self._fields.deleteLater()
        self._fields = fields

    def _row(self, setting: Setting) -> Row:
        row = self._rows[setting.name] = Row.of(setting)
        self._connect(setting.name, row)
        return row

    def _connect(self, name: str, row: Row) -> None:
        key = f"{self._group}.{name}"
        row.edited.connect(lambda raw: self._draft.edit(key, raw))
        row.finished.connect(self._draft.finish)

    def _add_fold(self, column: QVBoxLayout, folded: list[Setting]) -> None:
        more = QWidget(self)
        inner = QVBoxLayout(more)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        for setting in folded:
            inner.addWidget(self._row(setting))
        button = QToolButton(self)
        button.setProperty("role", "fold")
        button.setText("More")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setCheckable(True)

        def unfold(on: bool) -> None:
            self._open = on
            arrow = Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow
            button.setArrowType(arrow)
            more.setVisible(on)

        button.toggled.connect(unfold)
        button.setChecked(self._open)
        unfold(self._open)
        column.addWidget(button)
        column.addWidget(more)
