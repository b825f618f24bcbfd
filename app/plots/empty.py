"""Empty state: what a view says while it has nothing to show."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget


class EmptyState(QStackedWidget):
    """Shows either its content or a sentence that says how to get some."""

    def __init__(self, content: QWidget, text: str, parent: QWidget | None = None):
        super().__init__(parent)
        self._label = QLabel(text)
        self._label.setObjectName("empty_state")
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setWordWrap(True)
        self._label.setMargin(24)
        self._label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.addWidget(self._label)
        self.addWidget(content)

    @property
    def is_empty(self) -> bool:
        """Whether the sentence is shown."""
        return self.currentIndex() == 0

    @property
    def text(self) -> str:
        """The sentence."""
        return self._label.text()

    def set_empty(self, empty: bool, text: str = "") -> None:
        """Show the sentence (a new one when given) or the content."""
        if text:
            self._label.setText(text)
        self.setCurrentIndex(0 if empty else 1)
