"""The middle of the window: what there is to tell above, one view below."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

SMALLEST = 320  # pixels of width that keep the views readable
LINE = 26  # pixels of height of a title
Group = tuple[str, tuple[tuple[str, QWidget], ...]]  # heading, titles and views


class Rail(QWidget):
    """Views under their titles, in groups; one is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stack = QStackedWidget(self)
        self.titles = QListWidget(self)
        self.titles.setObjectName("views")
        self.titles.setAccessibleName("Views")
        self.titles.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._items: dict[QWidget, QListWidgetItem] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.titles)
        row.addWidget(self._stack, 1)
        self.titles.currentItemChanged.connect(self._show)

    def fill(self, *groups: Group) -> None:
        """Take these views and show the first."""
        for heading, views in groups:
            self._add(heading).setFlags(Qt.ItemFlag.NoItemFlags)
            for title, view in views:
                self._items[view] = self._add(title)
                self._stack.addWidget(view)
        self.titles.setFixedWidth(self.titles.sizeHintForColumn(0) + 4)
        self.setCurrentWidget(self._stack.widget(0))

    def currentWidget(self) -> QWidget:
        """The view that is shown."""
        return self._stack.currentWidget()

    def setCurrentWidget(self, view: QWidget) -> None:
        """Show this view."""
        self.titles.setCurrentItem(self._items[view])

    def _add(self, title: str) -> QListWidgetItem:
        item = QListWidgetItem(title, self.titles)
        item.setSizeHint(QSize(self.fontMetrics().horizontalAdvance(title) + 28, LINE))
        return item

    def _show(self, item: QListWidgetItem) -> None:
        view = next((v for v, each in self._items.items() if each is item), None)
        if view is not None:
            self._stack.setCurrentWidget(view)


def centre(notices: tuple[QWidget, ...], views: QWidget, parent: QWidget) -> QWidget:
    """All of them, one above the other."""
    found = QWidget(parent)
    found.setMinimumWidth(SMALLEST)
    column = QVBoxLayout(found)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    above = QVBoxLayout()
    above.setContentsMargins(8, 0, 8, 0)
    for notice in notices:
        above.addWidget(notice)
    column.addLayout(above)
    column.addWidget(views, 1)
    return found
