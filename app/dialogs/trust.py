"""TrustDialog: asks before a Python file with a network is executed."""

import hashlib
from pathlib import Path

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

LARGEST = 200_000  # characters on show


class TrustDialog(QDialog):
    """Shows the file's source; the answer is for this exact content only.

    Args:
        path: The Python file.
        digest: SHA-256 of the content that would run, in hexadecimal.
        parent: Qt's.
    """

    def __init__(self, path: Path, digest: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.digest = digest
        self.setWindowTitle("Run this Python file?")
        self.resize(720, 520)
        heading = QLabel("Building this network runs the code below.", self)
        heading.setProperty("role", "heading")
        advice = QLabel(
            "It can do anything you can do on this computer. Trust it only if you know "
            "where it comes from. You will be asked again when its content changes.",
            self,
        )
        advice.setWordWrap(True)
        where = QLabel(f"{path}\nSHA-256 {digest}", self)
        where.setProperty("role", "muted")
        where.setWordWrap(True)
        self.source = QPlainTextEdit(self)
        self.source.setReadOnly(True)
        self.source.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.source.setFont(fixed)
        self.source.setAccessibleName("Source of the file")
        self.buttons = QDialogButtonBox(self)
        self.trust = self.buttons.addButton(
            "I trust this file", QDialogButtonBox.ButtonRole.AcceptRole
        )
        cancel = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        cancel.setDefault(True)
        self.trust.setAutoDefault(False)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        for widget in (heading, advice, where):
            column.addWidget(widget)
        column.addWidget(self.source, 1)
        column.addWidget(self.buttons)
        self._read(path)

    def _read(self, path: Path) -> None:
        """Show exactly the content that was asked about, or allow nothing."""
        try:
            content = path.read_bytes()
        except OSError as error:
            self._refuse(f"The file cannot be read: {error.strerror}.")
            return
        if hashlib.sha256(content).hexdigest() != self.digest:
            self._refuse("The file has just changed. Cancel, then look at it again.")
            return
        text = content.decode("utf-8", "replace")
        if len(text) > LARGEST:
            self._refuse("The file is too long to show here in full.")
            return
        self.source.setPlainText(text)

    def _refuse(self, reason: str) -> None:
        self.source.setPlainText(reason)
        self.trust.setEnabled(False)
