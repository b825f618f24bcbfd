"""Classes panel: which classes a prune hurts, and the images that become wrong."""

from functools import partial

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

import engine
from app.dialogs.picture import PictureDialog
from app.looking.networks import NEXT, TITLES, Networks
from app.plots.classes import ClassesFigure
from app.plots.empty import EmptyState
from app.plots.thumbnails import Thumbnails, as_image
from app.runner import Runner
from app.tables import class_words as words
from app.tables.class_table import CHANGE, ClassTableModel
from app.tables.dressing import dress
from app.tables.units import many
from app.view import Table, View
from app.workspace import Workspace
from engine import Known, Network
from engine.looking.classes import ClassReport, NewlyWrong

MEASURE, STOP = "Measure", "Stop"
SPLITS = (("validation", "Validation images"), ("test", "Test images"))
READY = {
    NEXT: "Press Measure to see which classes the next prune would hurt.",
    "run": "Press Measure to see which classes this run has hurt.",
}
BUSY = "Measuring every class before and after\N{HORIZONTAL ELLIPSIS}"
STALE = "The masks have changed since this was measured."
MASKS = "Masks alone, without compensation, repair or fine-tuning."
COLUMNS = (
    "class", "images", "before", "after", "change_points", "standard_error",
    "newly_wrong", "newly_right",
)  # fmt: skip


class ClassesPanel(View):
    """Bars above; a table of classes and the newly wrong images below.

    Args:
        workspace: Says what is going on.
        networks: What can be compared.
        runner: Measures behind the window.
        parent: Qt's.
    """

    FILE = "classes.png"

    def __init__(
        self,
        workspace: Workspace,
        networks: Networks,
        runner: Runner,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._networks, self._runner = workspace, networks, runner
        self._reports: dict[str, tuple[Network, ClassReport]] = {}
        self._measuring = False
        self.networks, self.splits = QComboBox(), QComboBox()
        self.measure, self.save_button = QPushButton(MEASURE), QPushButton("Save…")
        self.text = QLabel(wordWrap=True)
        self.figure, self.thumbnails = ClassesFigure(), Thumbnails()
        self.model, self.proxy = ClassTableModel(), QSortFilterProxyModel(self)
        self.table = self._table()
        self._lay_out()
        self._connect()

    @property
    def report(self) -> ClassReport | None:
        """What is on show."""
        found = self._reports.get(self._which)
        return found[1] if found else None

    def numbers(self) -> Table:
        """A row per class."""
        return COLUMNS, self._rows()

    @property
    def _which(self) -> str:
        return self.networks.currentData()

    def _table(self) -> QTableView:
        self.proxy.setSourceModel(self.model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        table = QTableView()
        table.setModel(self.proxy)
        dress(table, "Accuracy of each class")
        table.setFrameShape(QTableView.Shape.NoFrame)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.setSortingEnabled(True)
        table.sortByColumn(CHANGE, Qt.SortOrder.AscendingOrder)
        return table

    def _lay_out(self) -> None:
        for data, text in TITLES.items():
            self.networks.addItem(text, data)
        for data, text in SPLITS:
            self.splits.addItem(text, data)
        self.networks.setAccessibleName("What is compared")
        self.networks.setToolTip(
            "The scored network with the masks of the next prune, or what the run on "
            "show has made of its network"
        )
        self.splits.setAccessibleName("Images")
        self.splits.setToolTip("Which images; tune on the validation images")
        self.save_button.setToolTip("A picture (PNG, SVG) or the table (CSV)")
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.networks)
        bar.addWidget(self.splits)
        bar.addWidget(self.measure)
        bar.addStretch(1)
        bar.addWidget(self.save_button)
        self.text.setContentsMargins(8, 2, 8, 2)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.table, "Classes")
        self._images = EmptyState(self.thumbnails, "No image has become wrong.")
        self.tabs.addTab(self._images, "Newly wrong")
        upper = QWidget()
        above = QVBoxLayout(upper)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(2)
        above.addWidget(self.text)
        above.addWidget(self.figure, 1)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(upper)
        parts.addWidget(self.tabs)
        parts.setSizes([260, 190])
        parts.setChildrenCollapsible(False)
        self._stack = EmptyState(parts, "")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(bar)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.networks.activated.connect(self.catch_up)
        self.splits.activated.connect(self.catch_up)
        self.measure.clicked.connect(self._press)
        self.save_button.clicked.connect(self.ask)
        self.figure.chosen.connect(self._choose)
        self.thumbnails.opened.connect(self._open)
        self._networks.changed.connect(self._on_network)
        self._workspace.state_changed.connect(self.catch_up)

    def _on_network(self, which: str) -> None:
        """A report of another network, or of a run that went on, is no longer true."""
        kept, network = self._reports.get(which), self._networks.of(which)
        if kept and (network is None or kept[0].state is not network.state):
            del self._reports[which]
        if which == self._which:
            self.catch_up()

    def _press(self) -> None:
        if self._measuring:
            self._runner.stop()
            return
        which = self._which
        network = self._networks.of(which)
        self._measuring, images = True, self._networks.images
        split = self.splits.currentData()
        self._runner.look(
            partial(engine.compare_classes, network, split, images),
            partial(self._take, which, network, images),
        )

    def _take(
        self, which: str, network: Network, images: Known, report: ClassReport
    ) -> None:
        self._networks.images = images
        now = self._networks.of(which)
        if now is not None and now.state is network.state:
            self._reports[which] = network, report
        self.catch_up()

    def catch_up(self) -> None:
        """Show what is known, or what to do."""
        state = self._workspace.state
        self._measuring = self._measuring and state != "idle"
        if not self.isVisible():
            return
        self._networks.look(self._which)
        network, report = self._networks.of(self._which), self.report
        if report is not None and report.split != self.splits.currentData():
            report = None
        self.measure.setText(STOP if self._measuring else MEASURE)
        can = network is not None and state == "idle"
        self.measure.setEnabled(self._measuring or can)
        self.save_button.setEnabled(report is not None)
        told = READY[self._which]
        if network is None:
            told = self._networks.problem(self._which)
        elif self._measuring:
            told = BUSY
        self._stack.set_empty(report is None, told)
        if report is not None:
            self._draw(report)

    def _draw(self, report: ClassReport) -> None:
        network = self._reports[self._which][0]
        foretold = self._which == NEXT
        now = self._networks.of(self._which)
        notes = [words.summary(report)]
        if foretold:
            notes.append(STALE if now and now.units != network.units else MASKS)
        elif network.moment:
            notes.append(network.moment)
        self.text.setText(" ".join(notes))
        if self.model.classes is not report.classes:
            self.model.set_classes(report.classes)
            self.figure.draw(self._ordered(report), foretold)
            self.thumbnails.show_images(report.wrong, report.split)
            self._images.set_empty(not report.wrong)
            lost = report.whole.lost
            shown = f"{len(report.wrong)} of " if len(report.wrong) < lost else ""
            self.tabs.setTabText(1, f"Newly wrong ({shown}{lost:,})")
            self.tabs.setTabToolTip(1, many(lost, "image") + ", the surest first")

    def _ordered(self, report: ClassReport):
        """The class that loses most first; those without images last."""
        known = (each for each in report.classes if each.images)
        return tuple(sorted(known, key=lambda each: each.change))

    def _choose(self, row: int) -> None:
        """Show this class in the table."""
        name = self._ordered(self.report)[row].name
        for number in range(self.proxy.rowCount()):
            index: QModelIndex = self.proxy.index(number, 0)
            if index.data() == name:
                self.tabs.setCurrentIndex(0)
                self.table.selectRow(number)

    def _open(self, wrong: NewlyWrong) -> None:
        if wrong.picture is not None:
            told = words.sentence(wrong, self.report.split)
            PictureDialog(as_image(wrong.picture), told, self).open()

    def _rows(self):
        for each in self._ordered(self.report):
            yield (
                each.name, each.images, *each.accuracies, each.change, each.error,
                each.lost, each.won,
            )  # fmt: skip
