"""Editors: the widget behind each type of setting; raw values out, values in."""

from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QWidget,
)

from app.forms.words import choice_words, number_words
from engine.part import Setting
from engine.words.written import read_list, read_map

HEIGHT = 28


class Line(QLineEdit):
    """A line of text that leaves undo, redo and dropped files to the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(False)

    def event(self, event: QEvent) -> bool:
        """Let Ctrl+Z and Ctrl+Shift+Z reach the recipe's undo."""
        if isinstance(event, QKeyEvent) and event.type() in (
            QEvent.Type.ShortcutOverride,
            QEvent.Type.KeyPress,
        ):
            keys = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
            if any(event.matches(key) for key in keys):
                event.ignore()
                return False
        return super().event(event)


class TextEditor(Line):
    """Free text."""

    edited = Signal(object)
    finished = Signal()

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(HEIGHT)
        self.setPlaceholderText(setting.special)
        self.textEdited.connect(lambda: self.edited.emit(self.read()))
        self.editingFinished.connect(self.finished)

    def read(self) -> Any:
        """The text, blanks at its ends left out."""
        return self.text().strip()

    def show_value(self, value: Any) -> None:
        """Show a value, unless the text already means it."""
        if self.read() != value:
            self.setText(str(value))
            self.setCursorPosition(0)


class ListEditor(TextEditor):
    """Several values between commas."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self._item = setting.item
        if not setting.special:
            self.setPlaceholderText("none")

    def read(self) -> list:
        """The items; what is not a number stays text for validation to refuse."""
        return read_list(self.text(), self._item)

    def show_value(self, value: Any) -> None:
        """Show the items, unless the text already means them."""
        if self.read() != list(value):
            words = [v if isinstance(v, str) else number_words(v) for v in value]
            self.setText(", ".join(words))
            self.setCursorPosition(0)


class MapEditor(TextEditor):
    """Names and their numbers between commas: `fc=0.5, conv1=0`."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self.setPlaceholderText(setting.special or "none")

    def read(self) -> dict[str, Any]:
        """The numbers by name; what is not a number stays for validation to refuse."""
        return read_map(self.text())

    def show_value(self, value: Any) -> None:
        """Show the pairs, unless the text already means them."""
        if self.read() != value:
            words = (
                f"{name}={v if isinstance(v, str) else number_words(v)}"
                for name, v in value.items()
            )
            self.setText(", ".join(words))
            self.setCursorPosition(0)


class CheckEditor(QCheckBox):
    """Yes or no, with the title beside the box."""

    edited = Signal(object)
    finished = Signal()

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(setting.title, parent)
        self.clicked.connect(lambda on: self.edited.emit(on))
        self.clicked.connect(lambda: self.finished.emit())

    def show_value(self, value: Any) -> None:
        """Tick or clear the box."""
        self.setChecked(bool(value))


class ChoiceEditor(QComboBox):
    """One of several words."""

    edited = Signal(object)
    finished = Signal()

    def __init__(
        self, choices: tuple[tuple[str, Any], ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setMinimumHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(8)
        for words, value in choices:
            self.addItem(words, value)
        self.activated.connect(lambda: self.edited.emit(self.currentData()))
        self.activated.connect(lambda: self.finished.emit())

    @classmethod
    def of(cls, setting: Setting, parent: QWidget | None = None) -> "ChoiceEditor":
        """The editor of a setting with a fixed list of values."""
        words = {c: choice_words(c) for c in setting.choices}
        if setting.special:
            words[setting.choices[0]] = setting.special
        return cls(tuple((word, c) for c, word in words.items()), parent)

    def show_value(self, value: Any) -> None:
        """Select the choice that stands for this value."""
        self.setCurrentIndex(self.findData(value))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the panel."""
        event.ignore()


class PathEditor(QWidget):
    """A file or folder: text beside a button that opens a chooser."""

    edited = Signal(object)
    finished = Signal()

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self.line = TextEditor(setting, self)
        self.line.setPlaceholderText(setting.special or "none")
        self.line.edited.connect(self.edited)
        self.line.finished.connect(self.finished)
        self.browse = QToolButton(self)
        self.browse.setText("\N{HORIZONTAL ELLIPSIS}")
        self.browse.setProperty("role", "browse")
        self.browse.setFixedSize(HEIGHT + 4, HEIGHT)
        self.browse.setToolTip(f"Choose a {setting.path}")
        self.browse.setAccessibleName(f"Choose a {setting.path}: {setting.title}")
        self.browse.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)
        self.setFocusProxy(self.line)

    def show_value(self, value: Any) -> None:
        """Show a path, unless the text already means it."""
        self.line.show_value(value)
        self.line.setToolTip(str(value) or self._setting.help)

    def _choose(self) -> None:
        now = self.line.read()
        if self._setting.path == "folder":
            chosen = QFileDialog.getExistingDirectory(self, self._setting.title, now)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._setting.title, now)
        if chosen:
            self.line.show_value(chosen)
            self.edited.emit(chosen)
            self.finished.emit()
