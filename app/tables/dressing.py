"""Dressing: how every table of rows looks and is chosen from."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

ROOM = 8  # pixels of a row beside its letters


def dress(table: QTableView, name: str) -> None:
    """Rows in stripes without a grid, chosen one at a time; Tab goes on to the next.

    Args:
        table: Is changed.
        name: For those who have it read to them.
    """
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + ROOM)
    table.horizontalHeader().setHighlightSections(False)


def sort_by_header(table: QTableView) -> None:
    """Rows stay in the order of the model until a header is clicked."""
    header = table.horizontalHeader()
    header.setSortIndicatorClearable(True)
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    table.setSortingEnabled(True)
