"""BranchDialog: what a branch will do otherwise, and where it goes."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.banner import Banner
from app.forms.change_words import change_words
from engine.recipe import Recipe

SAME = "Nothing: the branch goes on exactly as the run did, but for what is told below."
MOMENTUM = (
    "It begins with the weights, masks and place in the schedule of this moment; the "
    "optimiser's momentum begins anew."
)


class BranchDialog(QDialog):
    """What the recipe changes of that of the run, and a name for the folder.

    Args:
        moment: The node, in words.
        folder: Of the run; the branch comes beside it.
        own: The run's recipe.
        recipe: The branch's.
        name: Proposed for the folder.
        parent: Qt's.
    """

    chosen = Signal(object)  # Path of the new folder

    def __init__(
        self,
        moment: str,
        folder: Path,
        own: Recipe,
        recipe: Recipe,
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Branch from here")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._beside = folder.parent
        changed = change_words(own, recipe)
        self.moment = _words(moment)
        self.changes = _words("\n".join(changed) or SAME)
        self.name = QLineEdit(name, self)
        self.name.setToolTip(f"In {self._beside}")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("From", self.moment)
        form.addRow("Changes", self.changes)
        form.addRow("Folder", self.name)
        hint = _words(
            MOMENTUM
            if changed
            else f"{MOMENTUM} Change settings on the left first to "
            "have it do something else."
        )
        hint.setProperty("role", "muted")
        self.banner = Banner(parent=self)
        kinds, roles = QDialogButtonBox.StandardButton, QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox(kinds.Cancel, self)
        self.start = buttons.addButton("Start the branch", roles.AcceptRole)
        self.start.setDefault(True)
        buttons.accepted.connect(self._take)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(hint)
        column.addWidget(self.banner)
        column.addStretch(1)
        column.addWidget(buttons)
        self.name.selectAll()
        self.name.setFocus()

    def _take(self) -> None:
        name = self.name.text().strip()
        if not name or Path(name).name != name:
            self.banner.tell("Name a new folder, without slashes.", "error")
        elif (self._beside / name).exists():
            self.banner.tell(f"{name} exists already. Choose another name.", "error")
        else:
            self.accept()
            self.chosen.emit(self._beside / name)


def _words(text: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
