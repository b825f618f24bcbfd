"""Weights panel: pictures of a layer, and what removing a weight would move."""

from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from app.bridge import Bridge
from app.looking.networks import Networks
from app.looking.single_weight import Chosen, SingleWeight
from app.looking.surgery import Surgery
from app.looking.weights_bar import WeightsBar
from app.plots.base import small_font
from app.plots.empty import EmptyState
from app.plots.weight_grid import Cells, Grid, scale
from app.plots.weights import WeightsFigure
from app.tables import weight_words as words
from app.view import Table, View
from app.workspace import Workspace
from engine import Network
from engine.events import ModelLoaded
from engine.looking.layer_weights import LayerWeights, Mover, SingleRemoval

QUIET = 30  # milliseconds between two looks at a window that moves
HOVER = "Move over the picture to read weights; drag and the wheel pan and zoom."
COLUMNS = ("layer", "row", "column", "rows", "columns", "value", "gone", "going")


class WeightsPanel(View):
    """A picture above, the chosen weight below.

    Args:
        workspace: Knows the layer.
        bridge: Brings the kinds of layers.
        networks: What can be looked at.
        surgery: Knows what a removal would move.
        parent: Qt's.
    """

    FILE = "weights.png"

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        networks: Networks,
        surgery: Surgery,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._networks = workspace, networks
        self._kinds: dict[str, str] = {}
        self._shown: tuple[Network, str, str] | None = None  # and the arrangement
        self._layer: LayerWeights | None = None
        self._ticket = self._drawing = 0
        self.bar, self.figure, self.single = (
            WeightsBar(),
            WeightsFigure(),
            SingleWeight(networks, surgery),
        )
        self.note, self.readout = QLabel(wordWrap=True), QLabel(HOVER, wordWrap=True)
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self._sum_up)
        self._lay_out()
        self._connect(bridge)

    def numbers(self) -> Table:
        """The cells of the picture."""
        return COLUMNS, self._rows()

    def _lay_out(self) -> None:
        for label in (self.note, self.readout):
            label.setFont(small_font())
            label.setContentsMargins(8, 0, 8, 0)
            label.setTextFormat(Qt.TextFormat.PlainText)
        upper = QWidget()
        above = QVBoxLayout(upper)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(2)
        above.addWidget(self.figure, 1)
        above.addWidget(self.readout)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(upper)
        parts.addWidget(self.single)
        parts.setStretchFactor(0, 1)
        parts.setChildrenCollapsible(False)
        self._content = EmptyState(parts, "")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(self.note)
        column.addWidget(self._content, 1)

    def _connect(self, bridge: Bridge) -> None:
        bar, figure = self.bar, self.figure
        bar.network_chosen.connect(self.catch_up)
        bar.layer_chosen.connect(self._workspace.select_layer)
        bar.changed.connect(self.catch_up)
        bar.reset_asked.connect(figure.reset_view)
        bar.save_asked.connect(self.ask)
        figure.hovered.connect(self._read)
        figure.chosen.connect(self._choose)
        figure.asked.connect(self.single.fit)
        figure.window_changed.connect(self._on_window)
        self.single.opened.connect(self._open)
        self.single.moves_changed.connect(self._mark)
        self._networks.changed.connect(self._on_network)
        self._workspace.layer_selected.connect(self.catch_up)
        bridge.on(ModelLoaded, self._load)

    @property
    def _which(self) -> str:
        return self.bar.network

    @property
    def _names(self) -> words.Names:
        return words.dimensions(self._kinds.get(self._layer.name, ""))

    def _load(self, events: list[ModelLoaded]) -> None:
        self._kinds = {info.name: info.kind for info in events[-1].layers}

    def _on_network(self, which: str) -> None:
        if which == self._which:
            self.catch_up()

    def catch_up(self) -> None:
        """Show the chosen layer of the chosen network, or why there is none."""
        if not self.isVisible():
            return
        self._networks.look(self._which)
        network = self._networks.of(self._which)
        self.note.setText(self._networks.note(self._which) if network else "")
        self.note.setVisible(bool(self.note.text()))
        names = network.layers() if network else ()
        name = self._workspace.layer
        if name not in names:
            name = next(iter(names), "")
        self.bar.show_layers(names, name)
        problem = "" if names else "This network has no weights of two dimensions."
        if network is None:
            problem = self._networks.problem(self._which)
        self._content.set_empty(bool(problem), problem)
        self.bar.set_empty(bool(problem))
        if problem:
            self._shown = self._layer = None
            self.figure.grid = None
            self.single.show_weight(None)
            return
        wanted = network, name, self.bar.arrangements.currentData()
        if wanted == self._shown:
            self._sum_up()
            return
        self._ticket += 1
        self._networks.reading.do(
            partial(_read_layer, *wanted),
            partial(self._show, self._ticket, wanted),
            self._networks.crashed.emit,
        )

    def _show(
        self,
        ticket: int,
        wanted: tuple[Network, str, str],
        found: tuple[LayerWeights, Grid, float],
    ) -> None:
        if ticket != self._ticket:
            return
        before, self._shown = self._shown, wanted
        self._layer, grid, full = found
        title = tuple(f"{each} channel".capitalize() for each in self._names)
        same = before is not None and before[1] == wanted[1]
        chosen = self.figure.at if same else None
        anew = not same or before[2] != wanted[2]
        self.figure.show_layer(grid, title, full, anew)
        self._choose(chosen)
        self._sum_up()

    def _on_window(self) -> None:
        if not self._quiet.isActive():
            self._quiet.start()

    def _sum_up(self) -> None:
        window, grid = self.figure.window, self.figure.grid
        if window is None:
            return
        self._drawing += 1
        drawing, kind = self._drawing, self.bar.cells.currentData()

        def work() -> Cells | None:
            newest = drawing == self._drawing  # else nobody waits for it any more
            return grid.cells(window, kind) if newest else None

        done = partial(self._draw, grid)
        self._networks.reading.do(work, done, self._networks.crashed.emit)

    def _draw(self, grid: Grid, cells: Cells | None) -> None:
        if cells is None or grid is not self.figure.grid:
            return
        self.figure.show_cells(cells, self.bar.looks.currentData())
        self.bar.fit_to(self._layer.values.ndim > 2, cells.reduced)
        self._read(None)

    def _read(self, position: int | None) -> None:
        """Tell the weight under the mouse, and what cells stand for."""
        told = HOVER
        if position is not None and self._layer is not None:
            told = words.told(self._layer, position, self._names)
        mean = self.bar.cells.currentData() == "mean"
        summed = words.summed_up(self.figure.cells, mean)
        self.readout.setText(f"{told}  {summed}".strip())

    def _choose(self, position: int | None) -> None:
        self.figure.choose(position)
        network, _, _ = self._shown
        chosen = Chosen(self._which, network, self._layer, position, self._kinds)
        self.single.show_weight(chosen)

    def _mark(self, told: SingleRemoval | None) -> None:
        """Show where the survivors are that take over."""
        movers = told.movers if told and self._layer else ()
        self.figure.show_movers(
            tuple(
                (mover.position, abs(mover.move / movers[0].move))
                for mover in movers
                if mover.layer == self._layer.name
            )
        )

    def _open(self, mover: Mover) -> None:
        if mover.layer == self._layer.name:
            self._choose(mover.position)
            self.figure.setFocus()
        else:
            self._workspace.select_layer(mover.layer)

    def _rows(self):
        cells, name = self.figure.cells, self._layer.name
        for row, column in zip(*(~_missing(cells)).nonzero(), strict=True):
            yield (
                name,
                cells.window.top + int(row) * cells.high,
                cells.window.left + int(column) * cells.wide,
                cells.high,
                cells.wide,
                float(cells.values[row, column]),
                float(cells.gone[row, column]),
                float(cells.going[row, column]),
            )

    def ask(self) -> None:
        """Ask where to save, once there is a picture."""
        if self.figure.cells is not None and self._layer is not None:
            super().ask()


def _missing(cells: Cells):
    return cells.values != cells.values  # NaN: no weight


def _read_layer(
    network: Network, name: str, arrangement: str
) -> tuple[LayerWeights, Grid, float]:
    layer = network.layer(name)
    grid = Grid(layer, arrangement)
    grid.densities(0)  # are made here, on the reading thread
    return layer, grid, scale(layer.values)
