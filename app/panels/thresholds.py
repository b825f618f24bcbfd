"""Thresholds panel: which saliencies a prune took from a layer, and where it cut."""

import math
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots import export
from app.plots.empty import EmptyState
from app.plots.histogram import HistogramFigure
from app.tables.units import count, percent, power_of_ten, short
from app.workspace import Workspace
from engine.events import Event, Histogram, Pruned, Scored

EMPTY = "Press Start to see the saliencies of each layer and where a prune cuts."
SEPARATOR = "  \N{MIDDLE DOT}  "
COLUMNS = ("log10_from", "log10_to", "kept", "removed")


class ThresholdsPanel(QWidget):
    """Keeps every prune's histograms; shows one layer of one prune."""

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._scored: dict[int, dict[str, Histogram]] = {}
        self._pruned: dict[int, Pruned] = {}
        self.figure = HistogramFigure()
        self.layers = QComboBox()
        self.layers.setToolTip("Layer")
        self.layers.setAccessibleName("Layer")
        self.layers.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layers.setMinimumContentsLength(8)
        self.steps = QComboBox()
        self.steps.setToolTip("Which prune; the newest unless you choose another")
        self.steps.setAccessibleName("Prune")
        self.steps.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.logarithmic = QCheckBox("Log counts", checked=True)
        self.text = QLabel(wordWrap=True)
        self._timer = QTimer(self, singleShot=True, interval=60)
        self._timer.timeout.connect(self._draw)
        self._lay_out()
        self.layers.activated.connect(self._choose_layer)
        self.steps.activated.connect(self._draw)
        self.logarithmic.toggled.connect(self._draw)
        workspace.layer_selected.connect(self._draw)
        bridge.on(Event, self._add)
        bridge.cleared.connect(self._clear)

    @property
    def shown(self) -> Histogram | None:
        """The histogram in view."""
        layers = self._scored.get(self._step(), {})
        name = self._workspace.layer or next(iter(layers), "")
        return layers.get(name)

    def save_picture(self, path: Path) -> None:
        """Write the histogram and its legend as PNG."""
        export.save_picture(self.figure, path)

    def save_data(self, path: Path) -> None:
        """Write the bins as CSV."""
        shown = self.shown
        if shown is None:
            return
        width = (shown.high - shown.low) / len(shown.live)
        edges = (shown.low + width * i for i in range(len(shown.live)))
        bins = zip(edges, shown.live, shown.removed, strict=True)
        rows = ((at, at + width, live, removed) for at, live, removed in bins)
        export.save_table(COLUMNS, rows, path)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while hidden."""
        super().showEvent(event)
        self._draw()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.layers, 1)
        bar.addWidget(self.steps)
        bar.addWidget(self.logarithmic)
        for text, tip, slot in (
            ("Reset view", "Show all bins (double click)", self.figure.reset_view),
            ("Save picture…", "Histogram and legend as PNG", self._ask_picture),
            ("Save data…", "The bins as CSV", self._ask_data),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        self.text.setContentsMargins(6, 2, 6, 4)
        self._layer_stack = EmptyState(self.figure, "")
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self._layer_stack, 1)
        layout.addWidget(self.text)
        self._stack = EmptyState(content, EMPTY)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _add(self, events: list[Event]) -> None:
        newest = self._follows_newest()
        changed = False
        for event in events:
            if isinstance(event, Scored):
                self._scored[event.step] = {layer.name: layer for layer in event.layers}
                changed = True
            elif isinstance(event, Pruned):
                self._pruned[event.step] = event
                changed = True
        if not changed:
            return
        self._fill_steps(newest)
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _clear(self) -> None:
        self._scored.clear()
        self._pruned.clear()
        self.steps.clear()
        self._draw()

    def _follows_newest(self) -> bool:
        return self.steps.currentIndex() == self.steps.count() - 1

    def _fill_steps(self, newest: bool) -> None:
        chosen = self._step()
        self.steps.clear()
        for step in sorted(self._scored):
            self.steps.addItem(f"Prune {step}", step)
        last = self.steps.count() - 1
        self.steps.setCurrentIndex(last if newest else self.steps.findData(chosen))

    def _step(self) -> int:
        return self.steps.currentData() or 0

    def _choose_layer(self, row: int) -> None:
        self._workspace.select_layer(self.layers.itemData(row))

    def _draw(self) -> None:
        layers = self._scored.get(self._step(), {})
        self._stack.set_empty(not layers)
        known = [self.layers.itemData(i) for i in range(self.layers.count())]
        if known != list(layers):
            self.layers.clear()
            for name in layers:
                self.layers.addItem(short(name), name)
        shown = self.shown
        self.layers.setCurrentIndex(self.layers.findData(shown.name if shown else ""))
        self.text.setText(self._words(shown) if shown else "")
        name = short(self._workspace.layer)
        self._layer_stack.set_empty(
            shown is None, f"{name} is not pruned in this run. Choose another layer."
        )
        if shown is not None:
            self.figure.draw(shown, self.logarithmic.isChecked())

    def _words(self, shown: Histogram) -> str:
        parts = [
            short(shown.name),  # the box above may be too narrow for it
            f"{count(sum(shown.live))} kept",
            f"{count(sum(shown.removed))} removed now",
            f"{count(shown.gone)} removed before",
            f"{count(shown.below)} with zero or negative saliency",
        ]
        if shown.cut is not None and math.isfinite(shown.cut):
            parts.append(f"threshold {power_of_ten(shown.cut)}")
        pruned = self._pruned.get(self._step())
        states = {layer.name: layer for layer in pruned.layers} if pruned else {}
        if shown.name in states:
            level = percent(states[shown.name].sparsity)
            parts.append(f"layer {level}, overall {percent(pruned.sparsity)} sparse")
        return SEPARATOR.join(parts)

    def _ask_picture(self) -> None:
        export.ask_and_save(self, "saliencies.png", export.PICTURES, self.save_picture)

    def _ask_data(self) -> None:
        export.ask_and_save(self, "saliencies.csv", export.TABLES, self.save_data)
