"""Layers panel: how sparse each prunable layer is, live."""

from PySide6.QtCore import QEvent, QModelIndex, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.legend import Entry, Legend
from app.tables.bars import NamedBar
from app.tables.layer_bars import LayerBarsModel, untouched
from app.tables.units import count, percent
from app.view import Table, View, page
from app.workspace import Workspace
from engine.events import ModelLoaded, Pruned, Restored

EMPTY = "Choose a model to see its prunable layers here."
NONE = "No layer of this network can be pruned: see the reasons in the layer table."
COLUMNS = ("layer", "weights", "zeros", "sparsity", "threshold")
ENTRIES = (
    Entry("Sparsity of the layer", "sparsity", "bar"),
    Entry("Overall", "cut", "cut"),
)


class LayersPanel(View):
    """One bar per prunable layer; a click selects the layer everywhere."""

    FILE = "layers.png"

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.model = LayerBarsModel(self)
        self._delegate = NamedBar(self)
        self.view = self._bars()
        self.view.setAccessibleName("Sparsity of each layer")
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.selectionModel().currentChanged.connect(self._choose)
        self.summary = QLabel()
        self.summary.setContentsMargins(6, 0, 6, 0)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 4, 6, 0)
        bar.addWidget(self.summary, 1)
        save = QPushButton("Save…")
        save.setToolTip("All bars (PNG, SVG) or their numbers (CSV)")
        save.clicked.connect(self.ask)
        bar.addWidget(save)
        layout.addLayout(bar)
        legend = QVBoxLayout()
        legend.setContentsMargins(6, 0, 6, 0)
        legend.addWidget(Legend(ENTRIES))
        layout.addLayout(legend)
        layout.addWidget(self.view, 1)
        self._stack = self.fill(content, EMPTY)
        workspace.layer_selected.connect(self._select)
        bridge.on(ModelLoaded, self._load)
        bridge.on(Pruned, self._prune)
        bridge.on(Restored, self._restore)
        bridge.cleared.connect(self._clear)

    def picture(self) -> QWidget:
        """All bars, however many there is room for in the window."""
        bars = self._bars()
        height = bars.sizeHintForRow(0) * len(self.model.layers)
        bars.setFixedSize(self.view.width(), height + 2 * bars.frameWidth())
        return page(QLabel(self.summary.text()), Legend(ENTRIES), bars)

    def numbers(self) -> Table:
        """A row per layer."""
        return COLUMNS, (
            (each.name, each.weights, each.zeros, each.sparsity, each.threshold)
            for each in self.model.layers
        )

    def changeEvent(self, event: QEvent) -> None:
        """Measure the names again in a new font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    def _bars(self) -> QListView:
        view = QListView()
        view.setModel(self.model)
        view.setItemDelegate(self._delegate)
        view.setUniformItemSizes(True)
        view.setFrameShape(QListView.Shape.NoFrame)
        return view

    def _load(self, events: list[ModelLoaded]) -> None:
        layers = untouched(events[-1].layers)
        self.model.set_layers(layers)
        zeros = sum(layer.zeros for layer in layers)
        weights = sum(layer.weights for layer in layers)
        self._show(zeros / weights if weights else None, "before pruning")
        self._stack.set_empty(not layers, NONE)

    def _prune(self, events: list[Pruned]) -> None:
        event = events[-1]
        self.model.set_layers(event.layers)
        self._show(event.sparsity, f"after prune {event.step} of {event.steps}")
        self._stack.set_empty(not event.layers)

    def _restore(self, events: list[Restored]) -> None:
        self.model.set_layers(events[-1].layers)
        self._show(events[-1].sparsity, "where the run goes on")
        self._stack.set_empty(not events[-1].layers)

    def _clear(self) -> None:
        self.model.set_layers(())
        self._show(None, "")
        self._stack.set_empty(True, EMPTY)

    def _show(self, overall: float | None, when: str) -> None:
        self._delegate.overall = overall
        zeros = sum(layer.zeros for layer in self.model.layers)
        weights = sum(layer.weights for layer in self.model.layers)
        level = "" if overall is None else f"{percent(overall)} overall, "
        self.summary.setText(
            f"{level}{count(zeros)} of {count(weights)} weights zero, {when}"
        )
        self._measure()
        self._select(self._workspace.layer)
        self.view.viewport().update()

    def _measure(self) -> None:
        metrics = self.view.fontMetrics()
        names = (self.model.index(row).data() for row in range(self.model.rowCount()))
        self._delegate.name_width = max(
            map(metrics.horizontalAdvance, names), default=0
        )

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            self._workspace.select_layer(current.data(Qt.ItemDataRole.UserRole))

    def _select(self, name: str) -> None:
        index = self.model.find(name)
        if index.isValid():
            self.view.setCurrentIndex(index)
        else:
            self.view.clearSelection()
            self.view.selectionModel().clearCurrentIndex()
