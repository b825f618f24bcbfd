"""NumberEditor: a number typed freely, from 1e-5 to millions, with unit and arrows."""

import math
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

from app.forms.editors import HEIGHT, Line
from app.forms.words import number_words
from engine.part import Setting


class NumberEditor(QAbstractSpinBox):
    """A whole or real number; validation happens in the recipe, not here.

    The arrows move the second digit of a real number (0.90 to 0.91, 1e-5 to 1.1e-5)
    and whole numbers by one. The setting's special words stand for its smallest value.
    """

    edited = Signal(object)
    finished = Signal()

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self.setLineEdit(Line(self))
        self.lineEdit().setTextMargins(4, 0, 0, 0)
        self.setMinimumHeight(HEIGHT)
        self.setAccelerated(True)
        self.lineEdit().textEdited.connect(lambda: self.edited.emit(self.read()))
        self.editingFinished.connect(self._tidy)
        self.editingFinished.connect(self.finished)

    def read(self) -> Any:
        """The number the text stands for; the bare text when it is none."""
        text = self.lineEdit().text().strip()
        if self._setting.special and text.lower() == self._setting.special.lower():
            return self._setting.low
        if self._setting.unit:
            text = text.removesuffix(self._setting.unit).strip()
        plain = text.replace(",", "") if self._setting.type is int else text
        try:
            number = float(plain)
        except ValueError:
            return text
        if not math.isfinite(number):
            return text
        whole = self._setting.type is int and number.is_integer() and "." not in plain
        return int(number) if whole else number

    def show_value(self, value: Any) -> None:
        """Show a value, unless the text already means it."""
        if self.lineEdit().text() == "" or self.read() != value:
            self.lineEdit().setText(self._words(value))

    def stepBy(self, steps: int) -> None:
        """Move by arrows, inside the bounds."""
        value = self.read()
        if isinstance(value, str):
            return
        moved = value + steps * self._step(value)
        if self._setting.low is not None:
            moved = max(moved, self._setting.low)
        if self._setting.high is not None:
            moved = min(moved, self._setting.high)
        moved = int(moved) if self._setting.type is int else float(f"{moved:.10g}")
        self.lineEdit().setText(self._words(moved))
        self.edited.emit(moved)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Arrows work as long as there is a number and room."""
        value, flags = self.read(), QAbstractSpinBox.StepEnabledFlag.StepNone
        if isinstance(value, str):
            return flags
        if self._setting.high is None or value < self._setting.high:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        if self._setting.low is None or value > self._setting.low:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return flags

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the panel."""
        event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select the number, so that typing replaces it."""
        super().focusInEvent(event)
        self.selectAll()

    def _step(self, value: int | float) -> int | float:
        if self._setting.type is int:
            return 1
        return 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.01

    def _words(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if self._setting.special and value == self._setting.low:
            return self._setting.special
        unit = f" {self._setting.unit}" if self._setting.unit else ""
        return f"{number_words(value)}{unit}"

    def _tidy(self) -> None:
        value = self.read()
        if not isinstance(value, str):
            self.lineEdit().setText(self._words(value))
