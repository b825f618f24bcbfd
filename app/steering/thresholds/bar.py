"""Steer bar: the two sparsities in figures, and the way back from an override."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.plots.cuts import LAYER
from app.steering.steering import ALL, Steering
from app.steering.vanishing import alarm_of

COUNTED = {"weights": "All layers", "multiply-accumulates": "MACs removed"}
TIPS = {
    ALL: "The target: how much goes in all; moves with the line in the upper half",
    LAYER: "How sparse this layer will be; the others make up for it, so that the "
    "target stays. Moves with the line in the lower half",
}


class SteerBar(QWidget):
    """Numbers that move with the lines, and move them."""

    cleared = Signal()  # the shown layer's override shall go

    def __init__(self, steering: Steering, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steering = steering
        self._layer = ""
        self.fields = {ALL: _field(TIPS[ALL]), LAYER: _field(TIPS[LAYER])}
        self._names = {ALL: QLabel(), LAYER: QLabel("This layer")}
        self.clear = QPushButton("Clear override")
        self.clear.setToolTip("Let this layer follow the target again")
        self.clear.clicked.connect(self.cleared)
        self.alarm = QLabel(wordWrap=True)
        self.alarm.setProperty("role", "error")
        self.words = QLabel(wordWrap=True)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for which, field in self.fields.items():
            self._names[which].setBuddy(field)
            row.addWidget(self._names[which])
            row.addWidget(field)
            row.addSpacing(10)
            field.valueChanged.connect(lambda value, w=which: self._edit(w, value))
        row.addWidget(self.clear)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.alarm)
        column.addWidget(self.words)

    def show_layer(self, name: str) -> None:
        """Show the numbers of this layer and of all."""
        steering, self._layer = self._steering, name
        allocation, locked = steering.allocation, bool(steering.locked)
        known = steering.is_scored(name)
        self._names[ALL].setText(COUNTED.get(allocation.of, "Target"))
        self._put(ALL, allocation.sparsity, not locked)
        self._put(LAYER, steering.sparsity(name) if known else 0, known and not locked)
        self.clear.setVisible(known and steering.override(name) is not None)
        self.clear.setEnabled(not locked)
        alarm = alarm_of(steering.emptied if steering.forecast else ())
        self.alarm.setText(alarm)
        self.alarm.setVisible(bool(alarm))
        words = steering.locked or steering.refusal or steering.note
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def _put(self, which: str, share: float, enabled: bool) -> None:
        field = self.fields[which]
        field.setEnabled(enabled)
        if not enabled:
            field.lineEdit().deselect()
        field.blockSignals(True)
        field.setValue(100 * share)
        field.blockSignals(False)

    def _edit(self, which: str, value: float) -> None:
        name = ALL if which == ALL else self._layer
        self._steering.set_share(name, value / 100)
        self._steering.release(f"cut of {name}")


def _field(tip: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox(maximum=100, decimals=2, singleStep=0.1, suffix=" %")
    field.setKeyboardTracking(False)  # a number half typed is nobody's wish
    field.setAccelerated(True)
    field.setToolTip(tip)
    field.setAccessibleName(tip)
    return field
