"""View: what the middle of the window shows, empty until there is something to show."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.plots import export
from app.plots.empty import EmptyState

Table = tuple[Iterable[str], Iterable[tuple]]  # names of the columns, rows


class View(QWidget):
    """Shows things as they are whenever it appears, and saves what it shows.

    A subclass has a `figure` or its own `picture`, the `numbers` in it, and
    draws in `catch_up`.
    """

    FILE = ""  # suggested name to save under
    KINDS = export.EVERYTHING  # of files to save

    def catch_up(self) -> None:
        """Show things as they are now."""

    def picture(self) -> QWidget:
        """What a saved picture shows."""
        return self.figure

    def numbers(self) -> Table:
        """What is saved as CSV."""
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Write the picture (PNG, SVG), or where the name ends in `.csv` the numbers.

        Raises:
            InputError: The file cannot be written.
        """
        if path.suffix.lower() == ".csv":
            export.save_table(*self.numbers(), path)
        else:
            export.save_picture(self.picture(), path)

    def ask(self) -> None:
        """Ask where to save, and save."""
        export.ask_and_save(self, self.FILE, self.KINDS, self.save)

    def showEvent(self, event: QShowEvent) -> None:
        """Much may have come while it was hidden."""
        super().showEvent(event)
        self.catch_up()

    def fill(self, content: QWidget, told: str) -> EmptyState:
        """Take the whole room for the content, or for what to do to get some."""
        stack = EmptyState(content, told)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(stack)
        return stack


def page(*widgets: QWidget) -> QWidget:
    """These one below the other at their full size, laid out where nobody sees them."""
    found = QWidget()
    found.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    column = QVBoxLayout(found)
    column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
    for widget in widgets:
        column.addWidget(widget)
    found.show()  # lays it out
    return found
