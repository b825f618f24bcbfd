"""Weights bar: which network, which layer, and how it is drawn."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QPushButton, QWidget

from app.looking.networks import TITLES
from app.tables.units import short

LOOKS = (("weights", "Weights"), ("mask", "Mask"))
ARRANGEMENTS = (("matrix", "Matrix"), ("filters", "Filters"))
CELLS = (("largest", "Largest"), ("mean", "Mean size"))


class WeightsBar(QWidget):
    """Choices in two lines, and the buttons beside them."""

    network_chosen = Signal()
    layer_chosen = Signal(str)  # full parameter name
    changed = Signal()  # how it is drawn
    reset_asked = Signal()
    save_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.networks = _choices(tuple(TITLES.items()), "Network", "Whose weights")
        self.layers = _choices((), "Layer", "Layer")
        self.layers.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layers.setMinimumContentsLength(8)
        self.looks = _choices(
            LOOKS, "Picture", "Sizes and signs, or only which weights stay"
        )
        self.arrangements = _choices(
            ARRANGEMENTS, "Arrangement",
            "A row for each output channel, or every kernel as a small picture",
        )  # fmt: skip
        self.cells = _choices(
            CELLS, "Cells",
            "What a cell shows that stands for several weights: the one of the largest "
            "size, or the mean of their sizes",
        )  # fmt: skip
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 0)
        grid.setSpacing(4)
        grid.addWidget(self.networks, 0, 0)
        grid.addWidget(self.layers, 0, 1)
        save = self._button("Save…", "A picture (PNG, SVG) or the cells (CSV)", "save")
        grid.addWidget(save, 0, 2)
        second = QHBoxLayout()
        for box in (self.looks, self.arrangements, self.cells):
            second.addWidget(box)
        second.addStretch(1)
        grid.addLayout(second, 1, 0, 1, 2)
        reset = self._button("Reset view", "Show the whole layer (Home)", "reset")
        grid.addWidget(reset, 1, 2)
        self._of_a_layer = (self.layers, save, self.looks, reset)
        grid.setColumnStretch(1, 1)
        self.networks.activated.connect(self.network_chosen)
        self.layers.activated.connect(
            lambda row: self.layer_chosen.emit(self.layers.itemData(row))
        )
        for box in (self.looks, self.arrangements, self.cells):
            box.activated.connect(self.changed)

    @property
    def network(self) -> str:
        """Which network, see `Networks`."""
        return self.networks.currentData()

    def show_layers(self, names: tuple[str, ...], current: str) -> None:
        """Offer these layers."""
        known = [self.layers.itemData(i) for i in range(self.layers.count())]
        if known != list(names):
            self.layers.clear()
            for name in names:
                self.layers.addItem(short(name), name)
        self.layers.setCurrentIndex(self.layers.findData(current))

    def set_empty(self, empty: bool) -> None:
        """Leave only the choice of a network while there is no layer."""
        for widget in self._of_a_layer:
            widget.setVisible(not empty)
        if empty:
            self.fit_to(False, False)

    def fit_to(self, kernels: bool, reduced: bool) -> None:
        """Offer only what makes a difference."""
        self.arrangements.setVisible(kernels)
        self.cells.setVisible(reduced)

    def _button(self, text: str, tip: str, what: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(self.save_asked if what == "save" else self.reset_asked)
        return button


def _choices(entries: tuple[tuple[str, str], ...], name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    for data, text in entries:
        box.addItem(text, data)
    return box
