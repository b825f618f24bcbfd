"""Section: one step of the recipe panel, its header a summary of what is inside."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)


class Section(QFrame):
    """A header that folds and unfolds a body.

    Args:
        number: The step.
        title: Its name.
        body: The form inside.
        parent: Qt's.
    """

    def __init__(
        self, number: int, title: str, body: QWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "section")
        self._number = number
        self._title = title
        self._body = body
        self.header = QPushButton(self)
        self.header.setProperty("role", "header")
        self.header.setCheckable(True)
        self.header.toggled.connect(self._on_toggled)
        self._step = QLabel(str(number), self.header)
        self._step.setProperty("role", "step")
        self._step.setFixedSize(22, 22)
        self._step.setAlignment(Qt.AlignmentFlag.AlignCenter)
        name = QLabel(title, self.header)
        name.setProperty("role", "title")
        self._summary = Elided(self.header)
        self._summary.setProperty("role", "muted")
        self._arrow = QToolButton(self.header, autoRaise=True)
        self._arrow.setProperty("role", "fold")
        self._arrow.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        grid = QGridLayout(self.header)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._step, 0, 0, 2, 1)
        grid.addWidget(name, 0, 1)
        grid.addWidget(self._summary, 1, 1)
        grid.addWidget(self._arrow, 0, 2, 2, 1)
        grid.setColumnStretch(1, 1)
        for child in (self._step, name, self._summary, self._arrow):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.header.setMinimumHeight(grid.sizeHint().height())
        inside = QVBoxLayout()
        inside.setContentsMargins(12, 4, 12, 12)
        inside.addWidget(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(inside)
        self._inside = inside
        self._on_toggled(False)

    @property
    def title(self) -> str:
        """The step's name."""
        return self._title

    @property
    def is_open(self) -> bool:
        """Whether the body is on show."""
        return self.header.isChecked()

    def set_open(self, on: bool) -> None:
        """Unfold or fold."""
        self.header.setChecked(on)

    def show_state(self, summary: str, problem: str = "") -> None:
        """Tell in the header what is inside, or what does not fit."""
        self._summary.setText(problem or summary)
        self._summary.setToolTip(problem or summary)
        self.header.setAccessibleName(f"Step {self._number}, {self._title}")
        self.header.setAccessibleDescription(problem or summary)
        self._step.setText("!" if problem else str(self._number))
        for label, role in ((self._step, "step"), (self._summary, "muted")):
            label.setProperty("invalid", bool(problem))
            label.setProperty("role", "error" if problem and role == "muted" else role)
            label.style().unpolish(label)
            label.style().polish(label)

    def _on_toggled(self, on: bool) -> None:
        self._body.setVisible(on)
        self._inside.setContentsMargins(12, 4 if on else 0, 12, 12 if on else 0)
        arrow = Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow
        self._arrow.setArrowType(arrow)


class Elided(QLabel):
    """A line that ends in an ellipsis where the room does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width()
        )
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(
            self.rect(),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            text,
        )
