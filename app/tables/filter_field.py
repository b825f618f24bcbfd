"""Filter field: a text or a regular expression to look for, with what is wrong."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)


class FilterField(QWidget):
    """A line to type into, and a button that makes an expression of it.

    Args:
        words: Shown while nothing is typed.
        parent: Qt's.
    """

    changed = Signal()

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit(placeholderText=words, clearButtonEnabled=True)
        self.line.setAccessibleName(words)
        self.line.textChanged.connect(self.changed)
        self.expression = QToolButton(text=".*", checkable=True)
        self.expression.setToolTip("Regular expression, such as conv[12]$")
        self.expression.setAccessibleName("Regular expression")
        self.expression.toggled.connect(self.changed)
        self.problem = QLabel(wordWrap=True)
        self.problem.setProperty("role", "error")
        self.problem.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.expression)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.problem)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.line.text()

    @property
    def is_expression(self) -> bool:
        """Whether it is meant as a regular expression."""
        return self.expression.isChecked()

    def complain(self, problem: str) -> None:
        """Say why nothing is filtered; an empty text is no problem."""
        words = f"Not a regular expression: {problem}." if problem else ""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
        self.line.setToolTip(words)
        self.line.setProperty("invalid", bool(words))
        self.line.style().polish(self.line)
