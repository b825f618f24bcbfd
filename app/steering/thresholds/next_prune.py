"""Next prune: the controls and figures below a histogram whose cuts can be moved."""

import math

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.plots.cuts import LAYER
from app.plots.histogram import HistogramFigure
from app.steering.steering import ALL, Steering
from app.steering.thresholds.bar import SteerBar
from app.steering.thresholds.forecast import ForecastTable, figures
from app.steering.thresholds.probing import Probing
from app.workspace import Workspace
from engine import Probed
from engine.errors import EngineError


class NextPrune(QWidget):
    """Moves cuts by mouse, keys and numbers; says what they come to.

    Args:
        steering: Knows what would be pruned.
        probing: Measures it.
        workspace: Says when other saliencies came.
        figure: Shows the layer and has the lines.
    """

    def __init__(
        self,
        steering: Steering,
        probing: Probing,
        workspace: Workspace,
        figure: HistogramFigure,
    ) -> None:
        super().__init__()
        self._steering, self._probing, self._figure = steering, probing, figure
        self._name = ""
        self._probed: Probed | None = None
        self._failure = ""
        self.bar = SteerBar(steering)
        self.table = ForecastTable()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(self.table)
        cuts = figure.cuts
        cuts.dragged.connect(lambda which, at: steering.drag(self._of(which), 10**at))
        cuts.released.connect(lambda _: steering.release())
        cuts.stepped.connect(self._step)
        cuts.cancelled.connect(steering.drop)
        self.bar.cleared.connect(lambda: steering.clear((self._name,)))
        probing.probed.connect(self._on_probed)
        probing.failed.connect(self._on_failed)
        workspace.scored_changed.connect(self._forget)

    def show_layer(self, name: str, log: bool) -> None:
        """Show what would happen to this layer, which may be one that stays dense."""
        steering, self._name = self._steering, name
        self.bar.show_layer(name)
        self.table.setVisible(steering.forecast is not None)
        if steering.forecast is None:
            return
        self._show_figures()
        if steering.is_scored(name):
            self._draw(name, log)
        if self.isVisible() and steering.measurable:
            self._probing.ask(steering.scored, steering.forecast.units)

    def rest(self) -> None:
        """Nobody looks now."""
        self._probing.rest()

    def _draw(self, name: str, log: bool) -> None:
        steering, shown = self._steering, self._steering.histogram(name)
        lowest = 10**shown.low
        places = {
            which: None if at is None else math.log10(max(at, lowest))
            for which, at in ((ALL, steering.common), (LAYER, steering.cut(name)))
        }
        self._figure.foretell(shown, log, places, not steering.locked)

    def _of(self, which: str) -> str:
        return ALL if which == ALL else self._name

    def _step(self, which: str, more: float) -> None:
        steering, name = self._steering, self._of(which)
        if which == ALL:
            share = steering.allocation.sparsity
        else:
            share = steering.sparsity(name)
            more = math.copysign(max(abs(more), 1.0 / steering.size(name)), more)
        steering.set_share(name, share + more)
        steering.release(f"cut of {name}")

    def _show_figures(self) -> None:
        steering = self._steering
        if steering.forecast is not None and self._name:
            told = figures(steering, self._name, self._probed, self._failure)
            self.table.show_figures(told)

    def _on_probed(self, probed: Probed) -> None:
        self._probed, self._failure = probed, ""
        self._show_figures()

    def _on_failed(self, error: EngineError) -> None:
        self._failure = f"{error.message} {error.hint}"
        self._show_figures()

    def _forget(self) -> None:
        """Other saliencies, another network: nothing is measured of it yet."""
        self._probed, self._failure = None, ""
