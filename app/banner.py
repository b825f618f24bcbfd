"""Banner: one message inside the window, with up to one thing to do about it."""

import re
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)


class Banner(QFrame):
    """Hidden until it has something to say; the person can dismiss it.

    Args:
        wide: There is room for the button beside the words.
        parent: Qt's.
    """

    def __init__(self, wide: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton(self)
        self._button.clicked.connect(self._act)
        self._close = QToolButton(self, text="\N{MULTIPLICATION SIGN}", autoRaise=True)
        self._close.setToolTip("Dismiss")
        self._close.setAccessibleName("Dismiss")
        self._close.clicked.connect(self.hide)
        self._message = ""
        self._action: Callable[[], object] = self.hide
        words = QHBoxLayout() if wide else QVBoxLayout()
        words.setSpacing(8)
        words.addWidget(self._text, 1)
        words.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 4, 8)
        row.addLayout(words, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while hidden."""
        return "" if self.isHidden() else self._message

    def tell(
        self,
        message: str,
        level: str = "info",
        button: str = "",
        action: Callable[[], object] | None = None,
    ) -> None:
        """Show a message; long paths in it may break at their slashes.

        Args:
            message: Plain text.
            level: info, warning or error.
            button: What can be done; none when empty.
            action: Does it; the banner hides first.
        """
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._message = message
        self._text.setText(re.sub(r"([/\\_])", "\\1\N{ZERO WIDTH SPACE}", message))
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._action = action or self.hide
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()

    def _act(self) -> None:
        self.hide()
        self._action()
