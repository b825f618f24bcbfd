"""Thresholds panel: where prunes cut each layer's saliencies, or would cut them."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.empty import EmptyState
from app.plots.histogram import HistogramFigure
from app.plots.multiples import Multiples, MultiplesView, Sheet
from app.records.prunes import Prunes, bins
from app.steering.steering import Steering
from app.steering.thresholds.next_prune import NextPrune
from app.steering.thresholds.probing import Probing
from app.tables.units import short
from app.view import Table, View
from app.workspace import Workspace
from engine.events import Event, Histogram

EMPTY = (
    "Press Score (F9) to see the saliencies of each layer and move where a prune would "
    "cut them, or Start to see where it does."
)
WAIT = "Saliencies appear here as soon as a scoring or a prune has found them."
NEXT = 0  # the step that has not been taken yet
COLUMNS = ("layer", "log10_from", "log10_to", "kept", "removed")


class ThresholdsPanel(View):
    """Keeps every prune's histograms; shows one layer of one prune, done or to come.

    Args:
        workspace: Knows the recipe, the layer and the scored network.
        bridge: Brings what prunes did.
        steering: Knows what the next one would do.
        probing: Measures that.
    """

    FILE = "saliencies.png"

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        steering: Steering,
        probing: Probing,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._prunes = Prunes()
        self.steering = steering
        self.figure = HistogramFigure()
        self.next = NextPrune(self.steering, probing, workspace, self.figure)
        self.layers = QComboBox()
        self.layers.setToolTip("Layer")
        self.layers.setAccessibleName("Layer")
        self.layers.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layers.setMinimumContentsLength(6)
        self.steps = QComboBox()
        self.steps.setToolTip("Which prune; the newest unless you choose another")
        self.steps.setAccessibleName("Prune")
        self.steps.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.steps.setMinimumContentsLength(len("Next prune"))
        self.logarithmic = QCheckBox("Log", checked=True)
        self.logarithmic.setToolTip("Count weights on a logarithmic axis")
        self.every = QPushButton("All layers", checkable=True)
        self.every.setToolTip("Every layer at once; click one to make it large")
        self.multiples = MultiplesView()
        self.text = QLabel(wordWrap=True)
        self._timer = QTimer(self, singleShot=True, interval=60)
        self._timer.timeout.connect(self.catch_up)
        self._lay_out()
        self._connect(bridge)

    @property
    def shown(self) -> Histogram | None:
        """The histogram in view."""
        name = self._name()
        if self._foretells():
            return self.steering.histogram(name) if name in self._names() else None
        return self._prunes.layers(self._step()).get(name)

    def picture(self) -> QWidget:
        """The histogram and its legend, or every layer's."""
        if self.every.isChecked():
            return Sheet(self._multiples(), self.multiples.width())
        return self.figure

    def numbers(self) -> Table:
        """The bins of the layer in view, or of every layer."""
        every = self.every.isChecked()
        layers = self._multiples().layers if every else filter(None, [self.shown])
        return COLUMNS, (row for layer in layers for row in bins(layer))

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks at accuracies now."""
        super().hideEvent(event)
        self.next.rest()

    def _connect(self, bridge: Bridge) -> None:
        self.layers.activated.connect(self._choose_layer)
        self.steps.activated.connect(self.catch_up)
        self.logarithmic.toggled.connect(self.catch_up)
        self.every.toggled.connect(self.catch_up)
        self.multiples.layer_chosen.connect(self._workspace.select_layer)
        self.multiples.layer_opened.connect(self._open)
        self.steering.changed.connect(self._on_steered)
        self._workspace.scored_changed.connect(self._on_scored)
        self._workspace.layer_selected.connect(self.catch_up)
        self._workspace.state_changed.connect(self._on_state)
        bridge.on(Event, self._add)
        bridge.cleared.connect(self._clear)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.layers, 1)
        bar.addWidget(self.steps)
        bar.addWidget(self.every)
        bar.addWidget(self.logarithmic)
        for text, tip, slot in (
            ("Reset view", "Show all bins (double click)", self.figure.reset_view),
            ("Save…", "A picture (PNG, SVG) or the bins (CSV)", self.ask),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        self.text.setContentsMargins(6, 2, 6, 4)
        self._views = QStackedWidget()
        self._views.addWidget(self.figure)
        self._views.addWidget(self.multiples)
        self._layer_stack = EmptyState(self._views, "")
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self._layer_stack, 1)
        layout.addWidget(self.next)
        layout.addWidget(self.text)
        self._stack = self.fill(content, EMPTY)

    def _add(self, events: list[Event]) -> None:
        newest = self._follows_newest()
        if not self._prunes.add(events):
            return
        self._fill_steps(newest)
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _clear(self) -> None:
        self._prunes.clear()
        self._fill_steps(True)
        self.catch_up()

    def _follows_newest(self) -> bool:
        return self.steps.currentIndex() == self.steps.count() - 1

    def _fill_steps(self, newest: bool) -> None:
        chosen = self._step()
        self.steps.clear()
        if self.steering.scored:
            self.steps.addItem("Next prune", NEXT)
        for step in self._prunes.steps:
            self.steps.addItem(f"Prune {step}", step)
        last = self.steps.count() - 1
        place = last if newest else self.steps.findData(chosen)
        self.steps.setCurrentIndex(place if place >= 0 else last)

    def _step(self) -> int | None:
        return self.steps.currentData()

    def _foretells(self) -> bool:
        return self._step() == NEXT and self.steering.forecast is not None

    def _names(self) -> tuple[str, ...]:
        """The layers to choose from."""
        if self._foretells():
            return self.steering.names()
        return tuple(self._prunes.layers(self._step()))

    def _name(self) -> str:
        """The layer in view, which need not be one of those."""
        return self._workspace.layer or next(iter(self._names()), "")

    def _on_scored(self) -> None:
        """Show what Score found; a run goes on showing its own prunes."""
        chosen = self._workspace.state == "idle" or not self._prunes.steps
        self._fill_steps(newest=False)
        if chosen:
            self.steps.setCurrentIndex(self.steps.findData(NEXT))
        self.catch_up()

    def _on_steered(self) -> None:
        if bool(self.steering.scored) != (self.steps.findData(NEXT) >= 0):
            self._fill_steps(newest=False)
        if self.isVisible():
            self.catch_up()

    def _on_state(self) -> None:
        if self.steps.count() == 0:
            self.catch_up()

    def _choose_layer(self, row: int) -> None:
        self._workspace.select_layer(self.layers.itemData(row))

    def catch_up(self) -> None:
        """Show things as they are now."""
        names, next_ = self._names(), self._step() == NEXT
        busy = self._workspace.state != "idle"
        self._stack.set_empty(self.steps.count() == 0, WAIT if busy else EMPTY)
        known = [self.layers.itemData(i) for i in range(self.layers.count())]
        if known != list(names):
            self.layers.clear()
            for name in names:
                self.layers.addItem(short(name), name)
        shown, name = self.shown, self._name()
        self.layers.setCurrentIndex(self.layers.findData(shown.name if shown else ""))
        self.next.setVisible(next_)
        self.text.setVisible(not next_)
        self.text.setText(
            self._prunes.words(self._step(), shown) if shown and not next_ else ""
        )
        told = f"{short(name)} is not pruned in this run. Choose another layer."
        if next_ and not names:
            told = "There is nothing to foretell."
        elif next_:
            told = f"{short(name)} stays dense. Choose another layer."
        self._layer_stack.set_empty(shown is None, told)
        log, every = self.logarithmic.isChecked(), self.every.isChecked()
        self._views.setCurrentIndex(int(every))
        if every:
            self._layer_stack.set_empty(not names, told)
            self.multiples.show_all(self._multiples(), name)
        if next_:
            self.next.show_layer(name, log)
        elif shown is not None:
            self.figure.draw(shown, log)

    def _open(self, name: str) -> None:
        self._workspace.select_layer(name)
        self.every.setChecked(False)
        self.figure.setFocus()

    def _multiples(self) -> Multiples:
        """Every layer of the prune in view."""
        if self._foretells():
            steering, names = self.steering, self._names()
            every = tuple(steering.histogram(name) for name in names)
            return Multiples(every, tuple(map(steering.sparsity, names)), True)
        return self._prunes.multiples(self._step())
