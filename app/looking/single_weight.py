"""Single weight: how much the chosen one matters, and who takes over if it goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.looking.networks import Networks
from app.looking.surgery import Surgery
from app.tables import weight_words as words
from app.tables.dressing import dress
from app.tables.exclusion import covering
from app.tables.movers import MoversModel
from app.tables.units import short
from engine import Network
from engine.looking.layer_weights import LayerWeights, Mover, SingleRemoval

CHOOSE = "Click a weight, or move to one with the arrow keys."
ASK = "Fit this layer to see which weights would take over."
FITTING = "Fitting the layer\N{HORIZONTAL ELLIPSIS}"
FIT, STOP = "Fit this layer", "Stop"
ROWS = 4  # of the table that are always in view


@dataclass(frozen=True, eq=False)
class Chosen:
    """A weight, or none yet, of a layer on show.

    Attributes:
        which: Network, see `Networks`.
        network: It is of.
        layer: It is of.
        position: When flattened; None while none is chosen.
        kinds: Module type of each layer by name, as far as known.
    """

    which: str
    network: Network
    layer: LayerWeights
    position: int | None
    kinds: Mapping[str, str]

    @property
    def scored(self) -> bool:
        """Whether the layer may be pruned at all, as far as is known."""
        study, name = self.network.study, self.layer.name
        if study is None:
            return not covering(name, self.network.recipe.allocation.exclude)
        return name in study.ranking.layers

    def place(self, mover: Mover) -> str:
        """Where a survivor is, in words."""
        names = words.dimensions(self.kinds.get(mover.layer, ""))
        shape = self.network.shape(mover.layer)
        where = words.place(shape, mover.position, names)
        own = mover.layer == self.layer.name
        return where if own else f"{short(mover.layer)}: {where}"


class SingleWeight(QWidget):
    """Words, a button and a table.

    Args:
        networks: Say why a layer cannot be fitted.
        surgery: Fits one, and knows what a removal would move.
    """

    opened = Signal(object)  # the Mover that was double-clicked or entered
    moves_changed = Signal(object)  # SingleRemoval that is told, or None

    def __init__(
        self, networks: Networks, surgery: Surgery, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._networks, self._surgery = networks, surgery
        self._chosen: Chosen | None = None
        self.removal: SingleRemoval | None = None
        self.text = QLabel(CHOOSE, wordWrap=True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton(FIT)
        self.button.setToolTip(
            "Take gradients and fit the curvature of this layer alone, to see which "
            "weights would take over (Enter in the picture)"
        )
        self.model, self.table = MoversModel(), QTableView()
        self._lay_out()
        self.button.clicked.connect(self._press)
        self.table.activated.connect(self._open)
        surgery.changed.connect(self._on_fitted)
        surgery.answered.connect(self._take)

    def show_weight(self, chosen: Chosen | None) -> None:
        """Tell of this one."""
        self._chosen, self.removal = chosen, None
        self._ask()
        self._tell()

    def fit(self) -> None:
        """Fit the layer, where that would tell more and can be done."""
        chosen = self._chosen
        if chosen and self._fittable and not self._surgery.fitting:
            self._surgery.fit(chosen.which, chosen.layer.name)

    def _lay_out(self) -> None:
        table = self.table
        table.setModel(self.model)
        dress(table, "Survivors that take over")
        table.setToolTip("Double click or Enter: choose this weight")
        row = table.verticalHeader().defaultSectionSize()
        table.setMinimumHeight((ROWS + 1) * row + 4)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        above = QHBoxLayout()
        above.setContentsMargins(8, 2, 6, 2)
        above.addWidget(self.text, 1)
        above.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(above)
        column.addWidget(table, 1)
        table.hide()
        self.button.hide()

    @property
    def _fitted(self) -> bool:
        chosen = self._chosen
        return self._surgery.has(chosen.network, chosen.layer.name)

    @property
    def _fittable(self) -> bool:
        """Whether a fit would tell more."""
        chosen = self._chosen
        moves = chosen.network.recipe.estimator.compensates
        return moves and chosen.scored and not self._fitted

    @property
    def _fitting(self) -> bool:
        return self._surgery.fitting == self._chosen.layer.name

    def _ask(self) -> None:
        chosen = self._chosen
        if chosen and chosen.position is not None and self._fitted:
            self._surgery.ask(chosen.position)

    def _on_fitted(self) -> None:
        if self._chosen is None:
            return
        if not self._fitted:
            self.removal = None
        elif self.removal is None:
            self._ask()
        self._tell()

    def _take(self, told: SingleRemoval) -> None:
        chosen = self._chosen
        if chosen and (chosen.layer.name, chosen.position) == (
            told.layer, told.position,
        ):  # fmt: skip
            self.removal = told
            self._tell()

    def _tell(self) -> None:
        chosen, answer = self._chosen, self.removal
        self.text.setText("\n".join(filter(None, self._lines())) or CHOOSE)
        movers = answer.movers if answer else ()
        self.model.set_movers(movers, tuple(chosen.place(mover) for mover in movers))
        self.table.setVisible(bool(movers))
        self.moves_changed.emit(answer)
        if chosen is None:
            self.button.hide()
            return
        self.button.setVisible(self._fittable or self._fitting)
        self.button.setText(STOP if self._fitting else FIT)
        blocked = bool(self._networks.obstacle(chosen.which))
        self.button.setEnabled(self._fitting or not blocked)

    def _lines(self) -> tuple[str, ...]:
        chosen, answer = self._chosen, self.removal
        if chosen is None or chosen.position is None:
            return ()
        layer, position = chosen.layer, chosen.position
        names = words.dimensions(chosen.kinds.get(layer.name, ""))
        saliency = chosen.network.saliency(layer.name, position)
        saliency = saliency or (answer.saliency if answer else None)
        told = words.told(layer, position, names) + "."
        if layer.gone.reshape(-1)[position]:
            return (told,)
        more = self._hint() if answer is None else words.removal(answer)
        return told, words.matters(saliency), more

    def _hint(self) -> str:
        """What to do to see what would move."""
        chosen = self._chosen
        if not chosen.scored:
            return words.dense(chosen.layer.name)
        still = words.no_moves(chosen.network.recipe)
        if still or self._fitted:
            return still
        if self._fitting:
            return FITTING
        return self._networks.obstacle(chosen.which) or ASK

    def _press(self) -> None:
        if self._fitting:
            self._surgery.stop()
        else:
            self.fit()

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.movers[index.row()])
