"""Reading the runs panel as a person does."""

from PySide6.QtCore import Qt

from app.tables.runs_table import RUN


def read(qtbot, panel, count):
    def known():
        entries = panel.runs.entries
        assert len(entries) == count == len(panel.model.entries)
        assert all(entry.digest is not None for entry in entries)
        assert not panel._timer.isActive()

    qtbot.waitUntil(known, timeout=20_000)


def cell(panel, row, column, role=Qt.ItemDataRole.DisplayRole):
    return panel.view.proxy.index(row, column).data(role)


def names(panel):
    return [cell(panel, row, RUN) for row in range(panel.view.proxy.rowCount())]


def turn(panel, page, against=None):
    for box, number in (
        (panel.below.bar.pages, page),
        (panel.below.bar.others, against),
    ):
        if number is not None:
            box.setCurrentIndex(number)
            box.activated.emit(number)
