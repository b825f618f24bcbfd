"""Row: one setting as label, editor and, when it does not fit, the reason."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from app.forms.editors import (
    CheckEditor,
    ChoiceEditor,
    ListEditor,
    MapEditor,
    PathEditor,
    TextEditor,
)
from app.forms.number import NumberEditor
from engine.part import Setting

LABEL_WIDTH = 124
Editor = (
    CheckEditor
    | ChoiceEditor
    | ListEditor
    | MapEditor
    | NumberEditor
    | PathEditor
    | TextEditor
)


def editor_of(setting: Setting, parent: QWidget | None = None) -> Editor:
    """The editor that suits the type of a setting."""
    if setting.type is bool:
        return CheckEditor(setting, parent)
    if setting.type in (int, float):
        return NumberEditor(setting, parent)
    if setting.type == "choice":
        return ChoiceEditor.of(setting, parent)
    if setting.type == "list":
        return ListEditor(setting, parent)
    if setting.type == "map":
        return MapEditor(setting, parent)
    if setting.path:
        return PathEditor(setting, parent)
    return TextEditor(setting, parent)


class Row(QWidget):
    """A labelled editor; wide ones stand below their label."""

    edited = Signal(object)
    finished = Signal()

    def __init__(
        self,
        title: str,
        help: str,
        editor: Editor,
        wide: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.editor = editor
        self.error = QLabel(self)
        self.error.setProperty("role", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        if isinstance(editor, CheckEditor):
            grid.addWidget(editor, 0, 0, 1, 2)
        else:
            label = QLabel(title, self)
            label.setWordWrap(True)
            label.setToolTip(help)
            label.setBuddy(editor)
            grid.addWidget(label, 0, 0, 1, 2 if wide else 1)
            grid.addWidget(editor, 1 if wide else 0, 0 if wide else 1, 1, -1)
            grid.setColumnMinimumWidth(0, LABEL_WIDTH)
            if not wide:
                label.setFixedWidth(LABEL_WIDTH)
                label.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.error, 2, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        editor.setToolTip(help)
        editor.setAccessibleName(title)
        editor.setAccessibleDescription(help)
        editor.edited.connect(self.edited)
        editor.finished.connect(self.finished)

    @classmethod
    def of(cls, setting: Setting, parent: QWidget | None = None) -> "Row":
        """The row of a declared setting."""
        wide = bool(setting.path) or setting.type in ("list", "map")
        editor = editor_of(setting)
        return cls(setting.title, setting.help, editor, wide, parent)

    def show_value(self, value: Any, problem: str = "") -> None:
        """Show a value and why it does not fit; no problem hides the reason."""
        self.editor.show_value(value)
        self.error.setText(problem)
        self.error.setVisible(bool(problem))
        for widget in (self.editor, *self.editor.findChildren(QLineEdit)):
            if bool(widget.property("invalid")) != bool(problem):
                widget.setProperty("invalid", bool(problem))
                widget.style().unpolish(widget)
                widget.style().polish(widget)
