"""Sensitivity panel: what sparsity costs each layer, and one more percent of it."""

from pathlib import Path

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.plots import export
from app.plots.empty import EmptyState
from app.plots.sensitivity import SensitivityFigure
from app.steering.steering import Steering
from app.tables.prices import Price, PricesModel
from app.workspace import Workspace

EMPTY = "Press Score (F9) to see what sparsity would cost each layer."
NO_LOSS = (
    "The saliencies of this method are no losses, so they foretell none. Choose a "
    "second-order method, such as WoodFisher, and press Score (F9)."
)
COLUMNS = ("layer", "sparsity", "predicted_loss", "is_next_prune")


class SensitivityPanel(QWidget):
    """Curves above, prices below; a click on either chooses the layer everywhere."""

    def __init__(
        self, workspace: Workspace, steering: Steering, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._steering = steering
        self.figure = SensitivityFigure()
        self.model = PricesModel()
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.model)
        self.proxy.setSortRole(Qt.ItemDataRole.UserRole)
        self.view = QTableView()
        self.view.setModel(self.proxy)
        self.view.setAccessibleName("Price of one more percent of each layer")
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setTabKeyNavigation(False)
        self.view.setWordWrap(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(
            self.view.fontMetrics().height() + 8
        )
        self.view.horizontalHeader().setHighlightSections(False)
        self.view.horizontalHeader().setSectionResizeMode(
            QHeaderView.ResizeMode.Stretch
        )
        self.view.horizontalHeader().setSortIndicatorClearable(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        self.note = QLabel(wordWrap=True)
        self._lay_out()
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        self.figure.layer_chosen.connect(workspace.select_layer)
        workspace.layer_selected.connect(self._draw)
        steering.changed.connect(self._draw)
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while hidden."""
        super().showEvent(event)
        self._draw()

    def save(self, path: Path) -> None:
        """Write the curves as PNG or SVG, or their points as CSV."""
        if path.suffix.lower() == ".csv":
            export.save_table(COLUMNS, self._rows(), path)
        else:
            export.save_picture(self.figure, path)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.note, 1)
        for text, tip, slot in (
            ("Reset view", "Show all curves (double click)", self.figure.reset_view),
            ("Save…", "A picture (PNG, SVG) or the curves (CSV)", self._ask),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(self.figure)
        parts.addWidget(self.view)
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 2)
        parts.setChildrenCollapsible(False)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(bar)
        column.addWidget(parts, 1)
        self._stack = EmptyState(content, EMPTY)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _draw(self) -> None:
        if not self.isVisible():
            return
        steering = self._steering
        known = steering.forecast is not None
        told = known and steering.forecast.loss is not None
        self._stack.set_empty(not told, NO_LOSS if known else steering.problem or EMPTY)
        if not told:
            return
        self.note.setText(steering.problem or steering.note)
        self.figure.draw(steering, self._workspace.layer)
        self.model.set_prices([self._price(name) for name in steering.names()])
        names = steering.names()
        if self._workspace.layer in names:
            row = self.model.index(names.index(self._workspace.layer), 0)
            self.view.setCurrentIndex(self.proxy.mapFromSource(row))

    def _price(self, name: str) -> Price:
        steering = self._steering
        loss, sparsity = steering.loss(name), steering.sparsity(name)
        return Price(name, steering.size(name), sparsity, loss, steering.price(name))

    def _rows(self):
        steering = self._steering
        for name in steering.names():
            for sparsity, loss in zip(*steering.curve(name), strict=True):
                yield name, float(sparsity), float(loss), 0
            yield name, steering.sparsity(name), steering.loss(name), 1

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            row = self.proxy.mapToSource(current).row()
            self._workspace.select_layer(self.model.prices[row].name)

    def _ask(self) -> None:
        export.ask_and_save(self, "sensitivity.png", export.EVERYTHING, self.save)
