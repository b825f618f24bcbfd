"""The middle of the window: what there is to tell above, the tabs of views below."""

from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

SMALLEST = 320  # pixels of width that keep the views readable


def tabs_of(views: tuple[tuple[str, QWidget], ...], parent: QWidget) -> QTabWidget:
    """The views under their titles."""
    tabs = QTabWidget(parent)
    tabs.setDocumentMode(True)
    for title, view in views:
        tabs.addTab(view, title)
    return tabs


def centre(notice: QWidget, tabs: QWidget, parent: QWidget) -> QWidget:
    """Both, one above the other."""
    found = QWidget(parent)
    found.setMinimumWidth(SMALLEST)
    column = QVBoxLayout(found)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    above = QVBoxLayout()
    above.setContentsMargins(8, 0, 8, 0)
    above.addWidget(notice)
    column.addLayout(above)
    column.addWidget(tabs, 1)
    return found
