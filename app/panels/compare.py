"""Compare panel: a table that fills while methods are compared, and its picture."""

from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.compare import CompareFigure
from app.tables.compare_grid import CompareGridModel
from app.tables.units import left, many
from app.view import Table, View
from engine.comparing.cells import (
    COLUMNS,
    Cell,
    CellFinished,
    CellStarted,
    ComparisonEnded,
    ComparisonStarted,
    rows,
)
from engine.comparing.comparison import place
from engine.events import Event

EMPTY = (
    "Choose Run > Compare methods... to see methods side by side here, or open the "
    "folder of an earlier comparison."
)


class ComparePanel(View):
    """Methods down, sparsities across; a double click opens the run of an entry."""

    FILE = "compare.png"

    cell_opened = Signal(object)  # Path of the run folder

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self.model = CompareGridModel(self)
        self.figure = CompareFigure()
        self.view = QTableView()
        self.view.setModel(self.model)
        self.view.setAccessibleName("Test accuracy of each method at each sparsity")
        self.view.setFrameShape(QTableView.Shape.NoFrame)
        self.view.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.view.horizontalHeader().setSectionResizeMode(
            QHeaderView.ResizeMode.Stretch
        )
        self.view.horizontalHeader().setMinimumSectionSize(84)
        self.view.activated.connect(self._open)
        self.summary = QLabel()
        self.summary.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self._lay_out()
        bridge.on(Event, self._add)

    @property
    def folder(self) -> Path | None:
        """Of the comparison on show."""
        return self._folder

    def numbers(self) -> Table:
        """A row per cell."""
        return COLUMNS, rows(self.model.cells.values())

    def rest(self) -> None:
        """Nothing is worked on any more, whatever the reason."""
        self.model.set_running(None)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.summary, 1)
        for text, tip, slot in (
            ("Reset view", "Show all curves (double click)", self.figure.reset_view),
            ("Save…", "A picture (PNG, SVG) or every cell (CSV)", self.ask),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(self.view)
        self.parts.addWidget(self.figure)
        self.parts.setStretchFactor(1, 1)
        self.parts.setChildrenCollapsible(False)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.parts, 1)
        self._stack = self.fill(content, EMPTY)

    def _add(self, events: list[Event]) -> None:
        """In the order of arrival; the curves are drawn once for all of them."""
        changed = False
        for event in events:
            match event:
                case ComparisonStarted():
                    self.set_comparison(event)
                case CellStarted():
                    self.model.set_running(event.cell)
                    self._tell(event.seconds_left)
                case CellFinished():
                    self.model.set_result(event.cell)
                    self._tell(event.seconds_left)
                    changed = True
                case ComparisonEnded():
                    self.rest()
                    self._tell()
        if changed:
            self.catch_up()

    def set_comparison(self, event: ComparisonStarted) -> None:
        """Show this one instead of what is there."""
        self._folder = Path(event.folder)
        self.model.set_cells(event.cells)
        self._stack.set_empty(not event.cells)
        self._tell()
        row = self.view.verticalHeader().defaultSectionSize()
        head = self.view.horizontalHeader().sizeHint().height()
        wanted = min(head + row * len(self.model.methods) + 4, self.height() // 2)
        self.parts.setSizes([wanted, max(self.height() - wanted, 1)])
        self.catch_up()
        self.figure.reset_view()

    def _tell(self, seconds_left: float = -1.0) -> None:
        cells = self.model.cells.values()
        failed = sum(bool(cell.error) for cell in cells)
        words = [f"{sum(cell.done for cell in cells)} of {many(len(cells), 'cell')}"]
        words += [f"{failed} failed"] * bool(failed)
        words += [left(seconds_left)] * (seconds_left > 0)
        self.summary.setText(", ".join(words))
        self.summary.setToolTip(str(self._folder))

    def catch_up(self) -> None:
        """Show things as they are now."""
        known = (c.dense for c in self.model.cells.values() if c.dense is not None)
        self.figure.draw(self.model.groups.values(), next(known, None))

    def _open(self, index: QModelIndex) -> None:
        done: list[Cell] = [cell for cell in self.model.of(index) if cell.done]
        if done and self._folder:
            self.cell_opened.emit(self._folder / "cells" / place(done[0]))
