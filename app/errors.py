"""Errors on screen: one way to tell a person, and a net under everything else."""

import platform
import sys
import threading
import traceback
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError

PACKAGES = ("torch", "torchvision", "PySide6-Essentials", "pydantic")


class ErrorDialog(QDialog):
    """What happened, what to do, and everything else on request of a copy button."""

    def __init__(
        self,
        message: str,
        hint: str,
        details: str = "",
        parent: QWidget | None = None,
        title: str = "Something needs your attention",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        for words, role in ((message, "heading"), (hint, "")):
            label = QLabel(words, self)
            label.setProperty("role", role)
            label.setWordWrap(True)
            label.setMinimumWidth(420)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        if details:
            box = QPlainTextEdit(details, self)
            box.setReadOnly(True)
            box.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
            box.setFont(fixed)
            box.setMinimumSize(560, 240)
            column.addWidget(box, 1)
            copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
            report = f"{message}\n{hint}\n\n{details}"
            copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        column.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)


def show_error(error: EngineError, parent: QWidget | None = None) -> ErrorDialog:
    """Open (not block on) a dialog for an error a person can act on."""
    details = "\n".join(error.details)
    dialog = ErrorDialog(error.message, error.hint, details, parent)
    dialog.open()
    return dialog


def show_defect(error: BaseException, parent: QWidget | None = None) -> ErrorDialog:
    """Open a dialog with the full report of an exception nobody expected."""
    dialog = ErrorDialog(
        f"{type(error).__name__}: {error}",
        "This is a defect of the program, not of your input. Your run folder is whole. "
        "Copy the report below when you tell the developers about it.",
        report(error),
        parent,
        title="Unexpected error",
    )
    dialog.open()
    return dialog


def report(error: BaseException) -> str:
    """Versions and the traceback."""
    lines = [f"Python {platform.python_version()} on {platform.platform()}"]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} not installed as a package")
    return "\n".join([*lines, "", *traceback.format_exception(error)])


class Net(QObject):
    """Catches what nobody caught, on any thread; `remove` restores the old hooks.

    Args:
        show: Tells the person, on the GUI thread.
        parent: Qt's.
    """

    _caught = Signal(object)

    def __init__(
        self, show: Callable[[BaseException], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._showing = False
        self._show = show
        self._old = (sys.excepthook, threading.excepthook)
        self._caught.connect(self._tell)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def remove(self) -> None:
        """Give the hooks back to whoever had them."""
        sys.excepthook, threading.excepthook = self._old

    def _on_exception(self, kind, error, trace) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._old[0](kind, error, trace)
            return
        traceback.print_exception(error, file=sys.stderr)
        self._caught.emit(error)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def _tell(self, error: BaseException) -> None:
        if self._showing:  # an error while showing an error: the terminal has it
            return
        self._showing = True
        try:
            self._show(error)
        finally:
            self._showing = False
