"""PreferencesDialog: generated from the preferences' declaration, like every form."""

from typing import Any

from pydantic import ValidationError
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from app.forms.row import Row
from app.preferences import Choices, Preferences
from engine.part import settings


class PreferencesDialog(QDialog):
    """Changes apply when accepted.

    Args:
        preferences: Read and changed.
        parent: Qt's.
    """

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(480)
        self._preferences = preferences
        self._changes: dict[str, Any] = {}
        self.rows: dict[str, Row] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        for setting in settings(Choices):
            if not setting.hidden:
                row = self.rows[setting.name] = Row.of(setting)
                row.show_value(getattr(preferences.values, setting.name))
                row.edited.connect(
                    lambda raw, name=setting.name: self._changes.update({name: raw})
                )
                column.addWidget(row)
        column.addStretch(1)
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Ok | standard.Cancel, self)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.rows["runs"].editor.line.setPlaceholderText(str(preferences.runs))

    def accept(self) -> None:
        """Remember the changes, or say at the field what does not fit."""
        try:
            self._preferences.change(**self._changes)
        except ValidationError as error:
            for item in error.errors():
                row = self.rows[str(item["loc"][0])]
                row.show_value(self._changes[str(item["loc"][0])], item["msg"])
            return
        super().accept()
