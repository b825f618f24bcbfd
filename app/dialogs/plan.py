"""PlanDialog: what the recipe will cost, and what was chosen so that it fits."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.banner import Banner
from app.runner import Runner
from engine import Plan
from engine.errors import EngineError
from engine.recipe import Recipe
from engine.words.plan import described


class PlanDialog(QDialog):
    """Looks at the recipe in the background, then shows the plan or the remedy.

    Args:
        recipe: What would be run.
        runner: Makes the plan.
        parent: Qt's.
    """

    def __init__(
        self, recipe: Recipe, runner: Runner, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Plan")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._recipe = recipe
        self.progress = QProgressBar(self)
        self.progress.setRange(0, 0)
        self.progress.setFormat("")
        self.waiting = QLabel("Loading network and data, then measuring...", self)
        self.waiting.setProperty("role", "muted")
        self.banner = Banner(parent=self)
        self._rows = QFormLayout()
        self._rows.setHorizontalSpacing(16)
        self._rows.setVerticalSpacing(8)
        self.reasons = QLabel(self)
        self.reasons.setWordWrap(True)
        self.reasons.setProperty("role", "muted")
        self.reasons.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        for widget in (self.progress, self.waiting, self.banner):
            column.addWidget(widget)
        column.addLayout(self._rows)
        column.addWidget(self.reasons)
        column.addStretch(1)
        column.addWidget(buttons)
        runner.planned.connect(self._on_planned)
        runner.plan_failed.connect(self._on_failed)
        runner.plan(recipe)

    @property
    def shown(self) -> dict[str, str]:
        """The rows by their titles."""
        return {
            self._rows.itemAt(row, QFormLayout.ItemRole.LabelRole)
            .widget()
            .text(): self._rows.itemAt(row, QFormLayout.ItemRole.FieldRole)
            .widget()
            .text()
            for row in range(self._rows.rowCount())
        }

    def _on_planned(self, recipe: Recipe, plan: Plan) -> None:
        if not self._stop_waiting(recipe):
            return
        for title, words in described(plan):
            value = QLabel(words, self)
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._rows.addRow(title, value)
        self.reasons.setText("\n".join(plan.reasons))
        self.reasons.show()
        QTimer.singleShot(0, self._grow)  # when the new rows are there

    def _grow(self) -> None:
        """Make room for all lines; Qt's own guess is too low for words that wrap."""
        self.layout().activate()
        needed = self.layout().totalHeightForWidth(self.width())
        self.resize(self.width(), max(self.height(), needed))

    def _on_failed(self, recipe: Recipe, error: EngineError) -> None:
        if self._stop_waiting(recipe):
            self.banner.tell(f"{error.message} {error.hint}", "error")

    def _stop_waiting(self, recipe: Recipe) -> bool:
        """Whether this is the answer; one about another recipe may be under way."""
        if recipe != self._recipe or self.waiting.isHidden():
            return False
        self.progress.hide()
        self.waiting.hide()
        return True
