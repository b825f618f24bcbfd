"""CompareDialog: which methods, sparsities and seeds are to be compared."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.banner import Banner
from app.opening import FILTERS
from engine.comparing.comparison import Comparison, dump_comparison, parse_comparison
from engine.errors import InputError
from engine.part import settings, title_of
from engine.recipe import Recipe, with_changes
from engine.records.whole import write
from engine.words.units import many

SPARSITIES, SEEDS = "50, 60, 70, 80, 90, 95", "0, 1, 2"
CHOSEN = ("magnitude", "woodfisher")  # beside the method of the recipe
LINES = 3  # of an error that there is room for
ONE_SHOT = {"finetune.epochs": 0, "schedule.kind": "one_shot"}


class CompareDialog(QDialog):
    """All else is as in the recipe.

    Args:
        recipe: What all methods share; its own method keeps its settings.
        parent: Qt's.
    """

    chosen = Signal(object)  # Comparison

    def __init__(self, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare methods")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._recipe = recipe
        self.methods = QListWidget(self)
        self.methods.setAccessibleName("Methods")
        self.methods.setSpacing(1)
        self._add_methods()
        self.sparsities = QLineEdit(SPARSITIES, self)
        self.sparsities.setToolTip("In percent of the prunable weights")
        self.seeds = QLineEdit(SEEDS, self)
        self.seeds.setToolTip("Several show how much of a difference is chance")
        self.one_shot = QCheckBox("One shot, without fine-tuning", self)
        self.one_shot.setToolTip("Else schedule and fine-tuning are the recipe's")
        self.one_shot.setChecked(recipe.finetune.epochs == 0)
        self.repaired = QCheckBox("Each also with least squares per layer", self)
        self.repaired.setToolTip("Every method twice: without that repair, and with it")
        self.keep = QCheckBox("Keep the pruned networks", self)
        self.count = QLabel(self)
        self.count.setProperty("role", "muted")
        self.banner = Banner(parent=self)
        foot = QWidget(self)  # either speaks, and nothing else moves
        foot.setMinimumHeight(LINES * self.fontMetrics().lineSpacing() + 24)
        words = QVBoxLayout(foot)
        words.setContentsMargins(0, 0, 0, 0)
        words.addWidget(self.count)
        words.addWidget(self.banner)
        words.addStretch(1)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Methods", self.methods)
        form.addRow("Sparsities %", self.sparsities)
        form.addRow("Seeds", self.seeds)
        for box in (self.one_shot, self.repaired, self.keep):
            form.addRow("", box)
            box.toggled.connect(self._refresh)
        self.methods.itemChanged.connect(self._refresh)
        for line in (self.sparsities, self.seeds):
            line.textEdited.connect(self._refresh)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Cancel, self)
        roles = QDialogButtonBox.ButtonRole
        self.save = self.buttons.addButton("Save...", roles.ActionRole)
        self.save.setToolTip("Save it for python -m engine compare")
        self.start = self.buttons.addButton("Start", roles.AcceptRole)
        self.start.setDefault(True)
        self.save.clicked.connect(self._ask_file)
        self.buttons.accepted.connect(self._start)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(foot)
        column.addWidget(self.buttons)
        self._refresh()

    def comparison(self) -> Comparison:
        """What is chosen.

        Raises:
            InputError: It cannot be compared so.
        """
        shared = with_changes(
            self._recipe, ONE_SHOT if self.one_shot.isChecked() else {}
        )
        sparsities = _numbers(self.sparsities.text(), "sparsities", float)
        return parse_comparison(
            {
                "recipe": shared.model_dump(mode="json", exclude={"amendments"}),
                "methods": self._changes(),
                "sparsities": [round(value / 100, 12) for value in sparsities],
                "seeds": _numbers(self.seeds.text(), "seeds", int),
                "keep": self.keep.isChecked(),
            }
        )

    def save_as(self, path: Path) -> None:
        """Write the comparison file; a sentence in the dialog when it cannot be."""
        try:
            write(path, dump_comparison(self.comparison()).encode())
        except OSError as error:
            self.banner.tell(f"Cannot write {path}: {error.strerror}.", "error")

    def _add_methods(self) -> None:
        group = next(s for s in settings(Recipe) if s.name == "estimator")
        mine = self._recipe.estimator.kind
        for part in group.choices:
            kind = part.model_fields["kind"].default
            item = QListWidgetItem(title_of(part), self.methods)
            item.setData(Qt.ItemDataRole.UserRole, kind)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            on = kind == mine or kind in CHOSEN
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            if kind == mine:
                item.setToolTip("With the settings of the recipe")
            else:
                item.setToolTip("With its usual settings")

    def _changes(self) -> dict[str, dict[str, str]]:
        """Name and changes of each ticked method, with repair beside without."""
        changes: dict[str, dict[str, str]] = {}
        given = self._recipe.repair.layers
        for row in range(self.methods.count()):
            item = self.methods.item(row)
            if item.checkState() != Qt.CheckState.Checked:
                continue
            kind = item.data(Qt.ItemDataRole.UserRole)
            own = (
                {} if kind == self._recipe.estimator.kind else {"estimator.kind": kind}
            )
            if not self.repaired.isChecked():
                changes[item.text()] = own
                continue
            when = "end" if given == "never" else given
            changes[item.text()] = {**own, "repair.layers": "never"}
            changes[f"{item.text()}, repaired"] = {**own, "repair.layers": when}
        return changes

    def _refresh(self) -> None:
        """Count the cells, or say what does not fit."""
        try:
            spec = self.comparison()
        except InputError as error:
            self.banner.tell(error.message, "error")
            self.count.hide()
        else:
            self.banner.hide()
            self.count.show()
            axes = (
                many(len(spec.methods), "method"),
                many(len(spec.sparsities), "sparsity", "sparsities"),
                many(len(spec.seeds), "seed"),
            )
            runs = many(len(list(spec.cells())), "run")
            self.count.setText(f"{', '.join(axes)}: {runs}")
        for button in (self.start, self.save):
            button.setEnabled(self.banner.isHidden())

    def _start(self) -> None:
        spec = self.comparison()
        self.accept()
        self.chosen.emit(spec)

    def _ask_file(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the comparison", "comparison.json", FILTERS["comparison"]
        )
        if chosen:
            self.save_as(Path(chosen).with_suffix(".json"))


def _numbers(text: str, what: str, kind: Callable) -> list:
    """Numbers between commas or spaces, each as `kind` reads it."""
    words = [word for word in re.split(r"[,;\s%]+", text) if word]
    try:
        return [kind(word) for word in words]
    except ValueError as error:
        raise InputError(
            f"{what.capitalize()} must be {'whole ' * (kind is int)}numbers between "
            "commas.",
            "Correct them.",
        ) from error
