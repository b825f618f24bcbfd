"""Target bar: what a profile shall come to, and the buttons that make it so."""

from dataclasses import dataclass

from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.steering.profile.budgeting import Budgeting
from app.steering.profile.fitted import amount
from engine.steering.wish import Goal

TIMED = (
    "One image on this machine. Each layer counts with the faster of PyTorch's dense "
    "kernel and its sparse (CSR) matrix product, both timed here on the layer's own "
    "input; a layer that neither makes faster saves nothing. Other kernels and other "
    "machines differ."
)


@dataclass(frozen=True)
class Target:
    """How a goal is put into a field.

    Attributes:
        goal: See `Wish`.
        title: In the list of goals.
        suffix, decimals, most: Of the field.
        share: Of the dense network at first; points for accuracy.
        tip: What it counts.
    """

    goal: Goal
    title: str
    suffix: str
    decimals: int
    most: float
    share: float
    tip: str


TARGETS = (
    Target(
        "weights", "Weights left", " %", 1, 100, 0.2,
        "Of the layers that are pruned",
    ),
    Target(
        "macs", "MACs left", " %", 1, 100, 0.2,
        "Multiply-accumulates of the whole network, if zeros cost nothing",
    ),
    Target(
        "bytes", "Compressed size", " kB", 1, 1e9, 0.2,
        "All parameters; pruned layers as the values that are left and one bit a "
        "weight",
    ),
    Target("milliseconds", "Time for an image", " ms", 3, 1e6, 0.95, TIMED),
    Target(
        "accuracy", "Accuracy lost", " points", 1, 100, 1.0,
        "Measured on validation images (training images where there are none) with "
        "the masks alone, before any compensation, repair or fine-tuning; the fewest "
        "weights that lose no more",
    ),
)  # fmt: skip


class TargetBar(QWidget):
    """The goal, how much of it, for whom; and what to do about it."""

    def __init__(self, budgeting: Budgeting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._budgeting = budgeting
        self._amounts: dict[Goal, float] = {}
        self._wholes: dict[Goal, float | None] = {}  # of which they are a part
        self.goals, self.classes, self.field = (
            QComboBox(),
            QComboBox(),
            QDoubleSpinBox(),
        )
        for target in TARGETS:
            self.goals.addItem(target.title, target.goal)
        self.goals.setAccessibleName("What the target counts")
        self.classes.setAccessibleName("Images whose accuracy is bound")
        self.classes.setToolTip("All images, or those of one class alone")
        self.classes.setMaximumWidth(140)
        self.field.setKeyboardTracking(False)
        self.means = QLabel()
        self.means.setProperty("role", "muted")
        self.solve = _button("Least loss", "Give every layer that is not locked the "
            "sparsity that loses least for this target")  # fmt: skip
        self.fit = _button("Fit to target", "Move your profile as little as this "
            "target asks for, by least squares")  # fmt: skip
        self.time = _button("Time layers", TIMED)
        self.stop = _button("Stop", "End what is under way")
        self.goals.activated.connect(
            lambda: budgeting.set_goal(self.goals.currentData())
        )
        self.field.valueChanged.connect(self._edit)
        self.solve.clicked.connect(lambda: self._start(False))
        self.fit.clicked.connect(lambda: self._start(True))
        self.time.clicked.connect(budgeting.time)
        self.stop.clicked.connect(budgeting.stop)
        above, self.below = QHBoxLayout(), QHBoxLayout()
        label = QLabel("Target")
        label.setBuddy(self.goals)
        for widget in (label, self.goals, self.field, self.classes, self.means):
            above.addWidget(widget)
        above.addStretch(1)
        for widget in (self.time, self.solve, self.fit, self.stop):
            self.below.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 0)
        column.setSpacing(4)
        for row in (above, self.below):
            row.setSpacing(6)
            column.addLayout(row)

    @property
    def target(self) -> Target:
        """The goal in force."""
        goal = self._budgeting.goal
        return next(each for each in TARGETS if each.goal == goal)

    def refresh(self) -> None:
        """Show what counts now."""
        budgeting, target = self._budgeting, self.target
        self.goals.setCurrentIndex(TARGETS.index(target))
        self.goals.setToolTip(target.tip)
        timed = target.goal != "milliseconds" or budgeting.times is not None
        self._show_field(target, timed)
        self._show_classes(target)
        ready = budgeting.ready
        self.time.setVisible(not timed)
        self.time.setEnabled(ready)
        for button in (self.solve, self.fit):
            button.setEnabled(ready and timed)
        self.stop.setEnabled(bool(budgeting.working))

    def _show_field(self, target: Target, timed: bool) -> None:
        field, scale = self.field, self._scale(target)
        field.blockSignals(True)
        field.setEnabled(timed)
        field.setDecimals(target.decimals)
        field.setRange(0, target.most)
        field.setSingleStep(0.1 if target.goal == "milliseconds" else 1.0)
        field.setSuffix(target.suffix)
        field.setToolTip(target.tip)
        field.setAccessibleName(f"{target.title},{target.suffix}")
        whole = self._whole(target)
        if self._wholes.get(target.goal) != whole and target.suffix != " %":
            self._amounts.pop(target.goal, None)  # another network, other times
        self._wholes[target.goal] = whole
        first = target.share * (whole or 0.0) / scale
        field.setValue(self._amounts.get(target.goal, first))
        field.blockSignals(False)
        self._tell(target, timed)

    def _show_classes(self, target: Target) -> None:
        names = ("all images", *self._budgeting.classes)
        if names != tuple(
            self.classes.itemText(i) for i in range(self.classes.count())
        ):
            self.classes.clear()
            for number, name in enumerate(names):
                self.classes.addItem(name, number - 1 if number else None)
        self.classes.setVisible(target.goal == "accuracy")

    def _tell(self, target: Target, timed: bool) -> None:
        whole = self._whole(target)
        if not timed:
            text = "not timed yet"
        elif target.goal == "accuracy" or whole is None:
            text = ""
        elif target.suffix == " %":
            asked = amount(target.goal, self.field.value() * whole / 100)
            text = f"{asked} of {amount(target.goal, whole)}"
        else:
            text = f"of {amount(target.goal, whole)}"
        self.means.setText(text)

    def _whole(self, target: Target) -> float | None:
        """Of the dense network."""
        if target.goal == "accuracy":
            return 1.0
        spending = self._budgeting.spending(target.goal)
        return spending.whole if spending else None

    def _scale(self, target: Target) -> float:
        """What one of the field's unit is in the engine's."""
        if target.suffix == " %":
            return (self._whole(target) or 0.0) / 100 or 1.0
        return 1000.0 if target.goal == "bytes" else 1.0

    def _edit(self, value: float) -> None:
        self._amounts[self.target.goal] = value
        self._tell(self.target, True)

    def _start(self, drawn: bool) -> None:
        target = self.target
        label = self.classes.currentData() if target.goal == "accuracy" else None
        self._budgeting.fit(self.field.value() * self._scale(target), label, drawn)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
