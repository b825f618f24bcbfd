"""Sensitivity panel: what sparsity costs each layer, and one more percent of it."""

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.plots.sensitivity import SensitivityFigure
from app.steering.profile.budgeting import Budgeting
from app.steering.steering import Steering
from app.tables.dressing import dress, sort_by_header
from app.tables.prices import Price, PricesModel
from app.tables.units import exact
from app.view import Table, View
from app.workspace import Workspace

EMPTY = "Press Score (F9) to see what sparsity would cost each layer."
NO_LOSS = (
    "The saliencies of this method are no losses, so they foretell none: measure "
    "layers, or score with a second-order method, such as WoodFisher."
)
COLUMNS = (
    "layer", "sparsity", "predicted_loss", "is_next_prune", "measured_loss",
    "standard_error", "measured_accuracy", "images", "split",
)  # fmt: skip
PARTS = (700, 300)  # of the height: curves, prices
USUAL, WIDEST = "+1 % layer WW", "\N{MINUS SIGN}1 % weights WW"  # headings, with room
COUNTED = {
    "weights": "weights",
    "macs": "MACs",
    "bytes": "size",
    "milliseconds": "time",
    "accuracy": "weights",
}


class SensitivityPanel(View):
    """Curves above, prices below; a click on either chooses the layer everywhere."""

    FILE = "sensitivity.png"

    def __init__(
        self,
        workspace: Workspace,
        steering: Steering,
        budgeting: Budgeting,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._steering = steering
        self._budgeting = budgeting
        self.figure = SensitivityFigure()
        self.model = PricesModel()
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        self.view = QTableView()
        self.view.setModel(self.proxy)
        dress(self.view, "Price of one more percent of each layer")
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        wide = header.fontMetrics().horizontalAdvance
        header.setDefaultSectionSize(wide(USUAL))
        header.resizeSection(header.count() - 1, wide(WIDEST))
        self.view.setTextElideMode(Qt.TextElideMode.ElideLeft)  # blocks are alike
        sort_by_header(self.view)
        self.note = QLabel(wordWrap=True)
        self._lay_out()
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        self.figure.layer_chosen.connect(workspace.select_layer)
        workspace.layer_selected.connect(self.catch_up)
        steering.changed.connect(self.catch_up)
        budgeting.changed.connect(self.catch_up)
        self.catch_up()

    def numbers(self) -> Table:
        """The points of the curves."""
        return COLUMNS, self._rows()

    def _lay_out(self) -> None:
        budgeting = self._budgeting
        self.every = _button("Measure all", "Cut every layer alone to several "
            "sparsities and measure on a mini-batch, with the masks alone")  # fmt: skip
        self.one = _button(
            "Measure this layer", "The same for the layer chosen in a table or a plot"
        )
        self.stop = _button("Stop", "End the measuring; what was measured stays")
        self.every.clicked.connect(lambda: budgeting.measure(self._steering.names()))
        self.one.clicked.connect(lambda: budgeting.measure((self._workspace.layer,)))
        self.stop.clicked.connect(budgeting.stop)
        reset = _button("Reset view", "Show all curves (double click)")
        reset.clicked.connect(self.figure.reset_view)
        save = _button("Save…", "A picture (PNG, SVG) or the curves (CSV)")
        save.clicked.connect(self.ask)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.setSpacing(6)
        for button in (self.every, self.one, self.stop):
            bar.addWidget(button)
        bar.addStretch(1)
        for button in (reset, save):
            bar.addWidget(button)
        self.note.setContentsMargins(6, 0, 6, 0)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(self.figure)
        parts.addWidget(self.view)
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 2)
        parts.setChildrenCollapsible(False)
        parts.setSizes(PARTS)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(bar)
        column.addWidget(self.note)
        column.addWidget(parts, 1)
        self._stack = self.fill(content, EMPTY)

    def catch_up(self) -> None:
        """Show things as they are now."""
        if not self.isVisible():
            return
        steering, budgeting = self._steering, self._budgeting
        known = steering.forecast is not None
        self._stack.set_empty(not known, steering.problem or EMPTY)
        if not known:
            return
        self._tell()
        self.every.setEnabled(budgeting.ready and bool(steering.names()))
        self.one.setEnabled(
            budgeting.ready and steering.is_scored(self._workspace.layer)
        )
        self.stop.setEnabled(bool(budgeting.working))
        self.figure.draw(steering, budgeting.measured, self._workspace.layer)
        prices = budgeting.prices()
        self.model.set_counted(COUNTED[budgeting.goal])
        self.model.set_prices([self._price(n, prices) for n in steering.names()])
        names = steering.names()
        if self._workspace.layer in names:
            row = self.model.index(names.index(self._workspace.layer), 0)
            self.view.setCurrentIndex(self.proxy.mapFromSource(row))

    def _tell(self) -> None:
        """What to know about the curves, in a line or two."""
        steering, measured = self._steering, self._budgeting.measured
        unknown = NO_LOSS if steering.forecast.loss is None and not measured else ""
        told = [steering.problem or steering.note or unknown]
        if measured:
            newest = list(measured.values())[-1]
            low = sum(loss <= 0 for m in measured.values() for loss in m.losses)
            told.append(
                f"{len(measured)} of {len(steering.names())} layers measured on "
                f"{exact(newest.images)} {newest.split} images, each cut alone."
            )
            if low:
                told.append(f"{low} points without a rise are below the axis.")
        self.note.setText(" ".join(filter(None, told)))
        self.note.setVisible(any(told))

    def _price(self, name: str, prices: dict[str, float | None]) -> Price:
        steering = self._steering
        loss, sparsity = steering.loss(name), steering.sparsity(name)
        return Price(name, sparsity, loss, steering.price(name), prices.get(name))

    def _rows(self):
        steering, nothing = self._steering, ("",) * 5
        for name in steering.names():
            for sparsity, loss in zip(*steering.curve(name), strict=True):
                yield name, float(sparsity), float(loss), 0, *nothing
            loss = steering.loss(name)
            told = "" if loss is None else loss
            yield name, steering.sparsity(name), told, 1, *nothing
            found = self._budgeting.measured.get(name)
            if found:
                rows = zip(
                    found.sparsities, found.losses, found.errors, found.accuracies,
                    strict=True,
                )  # fmt: skip
                for sparsity, *numbers in rows:
                    yield name, sparsity, "", 0, *numbers, found.images, found.split

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            row = self.proxy.mapToSource(current).row()
            self._workspace.select_layer(self.model.prices[row].name)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
