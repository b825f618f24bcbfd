"""Side by side: one picture or table of all drawn runs, chosen from four."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import (
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.plots import export
from app.plots.base import small_font
from app.plots.empty import EmptyState
from app.plots.overlay import Overlay
from app.plots.page_bar import AGAINST, CURVES, SETTINGS, PageBar
from app.records import overlaid
from app.records.pareto import staircase
from app.records.runs import Entry
from app.tables.grid import GridModel, GridView, Line
from app.tables.side_lines import layer_lines, setting_lines
from app.tables.units import many

NONE = "Tick a run in the table above to draw it here."
READING = "The events of these runs are being read\N{HORIZONTAL ELLIPSIS}"
NO_CURVES = "None of these runs has measured anything yet."
NO_POINT = "None of these runs has a final accuracy yet."
MEASURE = "Press Measure to time the networks of the ticked runs on this machine."
ALIKE = "The recipes of these runs are the same."
NO_RECIPE = "Tick two or more runs to see where their recipes differ."
NO_LAYERS = "None of these runs has pruned anything yet."


class SideBySide(QWidget):
    """Mirrors a list of runs; says what is missing where there is nothing to see."""

    run_chosen = Signal(object)  # Path
    layer_chosen = Signal(str)  # full parameter name
    curves_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._layer = ""
        self.bar = PageBar()
        self.figure = Overlay()
        self.settings, self.layers = GridModel(self), GridModel(self)
        self.settings_view = GridView(self.settings, "Settings that differ")
        self.layers_view = GridView(self.layers, "Sparsity of each layer")
        self.readout = QLabel()
        self.readout.setFont(small_font())
        self.readout.setContentsMargins(6, 0, 6, 2)
        self.readout.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self._lay_out()
        self.figure.run_chosen.connect(self.run_chosen)
        self.figure.pointed.connect(self._point)
        self.layers_view.selectionModel().currentRowChanged.connect(self._choose_layer)
        self.bar.changed.connect(self._switch)
        self.bar.reset_asked.connect(self.figure.reset_view)
        self.bar.save_asked.connect(self._ask)
        self._switch()

    def show_runs(self, entries: Sequence[Entry]) -> None:
        """Show these runs."""
        self._entries = [entry for entry in entries if entry.digest is not None]
        self._draw()

    def choose(self, folders: Sequence[Path]) -> None:
        """Draw these runs above the others."""
        self.figure.choose(folders)

    def show_layer(self, name: str) -> None:
        """Make this layer current."""
        self._layer = name
        names = [line.key for line in self.layers.lines]
        if name in names:
            self.layers_view.setCurrentIndex(self.layers.index(names.index(name), 0))

    def save(self, path: Path) -> None:
        """Write what is shown as PNG or SVG, or its numbers as CSV."""
        page = self.bar.page
        if path.suffix.lower() != ".csv":
            export.save_picture(self._widgets[page], path)
        elif page == CURVES:
            columns = overlaid.CURVE_COLUMNS
            export.save_table(columns, overlaid.curve_rows(self._entries), path)
        elif page == AGAINST:
            rows = overlaid.front_rows(self._entries, self.bar.against)
            export.save_table(overlaid.FRONT_COLUMNS, rows, path)
        else:
            model = self.settings if page == SETTINGS else self.layers
            rows = ((e.key, *(e.fractions or e.cells)) for e in model.lines)
            export.save_table(model.titles, rows, path)

    def _lay_out(self) -> None:
        self._widgets = (
            self.figure, self.figure, self.settings_view, self.layers_view
        )  # fmt: skip
        self._stack = QStackedWidget()
        for widget in dict.fromkeys(self._widgets):
            self._stack.addWidget(widget)
        self._empty = EmptyState(self._stack, NONE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(self._empty, 1)
        column.addWidget(self.readout)

    def _switch(self) -> None:
        self._draw()
        self.figure.reset_view()

    def _draw(self) -> None:
        page = self.bar.page
        self.bar.offer()
        self._stack.setCurrentWidget(self._widgets[page])
        self._point("")
        draw = (
            self._draw_curves, self._draw_against, self._draw_settings,
            self._draw_layers,
        )[page]  # fmt: skip
        problem = draw() if self._entries else NONE
        self._empty.set_empty(bool(problem), problem)

    def _draw_curves(self) -> str:
        self.curves_wanted.emit()
        measure, (title, axis) = self.bar.measure, self.bar.axis
        traces = overlaid.curves(self._entries, measure, axis)
        bottom = "Epochs of fine-tuning" if axis == "epoch" else f"{title} of work"
        left = "Accuracy %" if measure == "accuracy" else "Loss"
        level = [getattr(entry.digest.dense, measure) for entry in self._entries]
        known = [round(each, 3) for each in level if each is not None]
        self.figure.draw(traces, (bottom, left), dense=known)
        missing = any(entry.record is None for entry in self._entries)
        return "" if traces else READING if missing else NO_CURVES

    def _draw_against(self) -> str:
        against = self.bar.against
        traces = overlaid.trade_off(self._entries, against)
        best = overlaid.front_of(traces, against)
        stairs = staircase(best, against.more_is_better)
        dense = [entry.digest.dense.accuracy for entry in self._entries]
        known = [round(each, 2) for each in dense if each is not None]
        label, latency = self._label(against), against.from_zero
        self.figure.draw(
            traces, (label, "Final accuracy %"), against.words, known, stairs,
            latency,
        )  # fmt: skip
        if traces:
            return ""
        return self._unmeasured() if latency else NO_POINT

    def _draw_settings(self) -> str:
        told = [entry for entry in self._entries if entry.digest.recipe is not None]
        if len(told) < 2:
            return NO_RECIPE
        lines = setting_lines(told)
        self._fill(self.settings, self.settings_view, "Setting", lines, told)
        return "" if lines else ALIKE

    def _draw_layers(self) -> str:
        told = [entry for entry in self._entries if entry.digest.layers]
        lines = layer_lines(told)
        self._fill(self.layers, self.layers_view, "Layer", lines, told)
        self.show_layer(self._layer)
        return "" if lines else NO_LAYERS

    def _fill(
        self,
        model: GridModel,
        view: GridView,
        title: str,
        lines: list[Line],
        runs: list[Entry],
    ) -> None:
        heads = (title, *(entry.name for entry in runs))
        tips = ("", *(str(entry.folder) for entry in runs))
        if model.set_lines(lines, heads, tips):
            view.fit()

    def _label(self, against: overlaid.Against) -> str:
        measured = next(
            (entry.latency for entry in self._entries if entry.latency), None
        )
        if against is not overlaid.AGAINST[overlaid.LATENCY] or measured is None:
            return against.label
        batch = many(measured.images, "image")
        return f"Milliseconds for {batch}, {measured.device}"

    def _unmeasured(self) -> str:
        errors = [e.latency.error for e in self._entries if e.latency]
        return " ".join([MEASURE, *filter(None, errors[:1])])

    def _point(self, words: str) -> None:
        self.readout.setText(words or self._hint())

    def _hint(self) -> str:
        page = self.bar.page
        if page == AGAINST and self.bar.latency:
            return "Dense products: a zero takes as long as any other weight."
        left_out = len(self._entries) - len(self.figure.traces)
        if page == AGAINST and left_out > 0:
            return f"{many(left_out, 'run')} without a final accuracy left out."
        return ""

    def _choose_layer(self, current: QModelIndex) -> None:
        if current.isValid():
            self.layer_chosen.emit(self.layers.lines[current.row()].key)

    def _ask(self) -> None:
        name = ("curves", "trade-off", "settings", "layers")[self.bar.page] + ".png"
        export.ask_and_save(self, name, export.EVERYTHING, self.save)
