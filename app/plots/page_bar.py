"""Page bar: what of the drawn runs is shown and against what, and buttons beside it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSpinBox, QWidget

from app.records import overlaid

PAGES = ("Curves", "Accuracy against", "Settings that differ", "Layer by layer")
CURVES, AGAINST, SETTINGS, LAYERS = range(len(PAGES))
AXES = (("Epochs", "epoch"), ("Seconds", "seconds"))
HONEST = (
    "Times the whole network of each ticked run on this machine, with the device and "
    "threads of the recipe on show. torch multiplies with dense matrices, in which a "
    "weight that is zero takes as long as any other: weight sparsity alone gains "
    "nothing here."
)


class PageBar(QWidget):
    """A page, and the choices that make a difference on it."""

    changed = Signal()  # what is shown
    measure_wanted = Signal(int)  # images of a batch
    stop_wanted = Signal()
    reset_asked = Signal()
    save_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.busy = False
        self.pages = _choices("What is shown", PAGES)
        self.measures = _choices(
            "Measure", [each.capitalize() for each in overlaid.MEASURES]
        )
        self.axes = _choices("Against", [title for title, _ in AXES])
        self.others = _choices("Against", [each.title for each in overlaid.AGAINST])
        self.images = QSpinBox(minimum=1, maximum=4096, value=32, suffix=" images")
        self.images.setToolTip("Images of a batch")
        self.button = _button("Measure", HONEST)
        self.reset = _button("Reset view", "Show everything (double click)")
        save = _button("Save…", "What is shown: a picture (PNG, SVG) or a table (CSV)")
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 0)
        row.setSpacing(2)
        choices = (self.pages, self.measures, self.axes, self.others)
        for widget in (*choices, self.images, self.button):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.reset)
        row.addWidget(save)
        for box in choices:
            box.activated.connect(self.changed)
        self.button.clicked.connect(self._press)
        self.reset.clicked.connect(self.reset_asked)
        save.clicked.connect(self.save_asked)

    @property
    def page(self) -> int:
        """Which of `PAGES`."""
        return self.pages.currentIndex()

    @property
    def measure(self) -> str:
        """What curves are of."""
        return overlaid.MEASURES[self.measures.currentIndex()]

    @property
    def axis(self) -> tuple[str, str]:
        """What curves are drawn over: title, and name in the record."""
        return AXES[self.axes.currentIndex()]

    @property
    def against(self) -> overlaid.Against:
        """What accuracy is set against."""
        return overlaid.AGAINST[self.others.currentIndex()]

    @property
    def latency(self) -> bool:
        """Whether that is latency."""
        return self.others.currentIndex() == overlaid.LATENCY

    def offer(self) -> None:
        """Leave only the choices of this page."""
        page = self.page
        for widget in (self.measures, self.axes):
            widget.setVisible(page == CURVES)
        self.others.setVisible(page == AGAINST)
        for widget in (self.images, self.button):
            widget.setVisible(page == AGAINST and self.latency)
        self.reset.setVisible(page in (CURVES, AGAINST))

    def set_state(self, state: str, measuring: bool) -> None:
        """Whether the engine is free, and if not, whether it measures latencies."""
        self.busy = measuring and state != "idle"
        self.button.setText("Stop" if self.busy else "Measure")
        self.button.setEnabled(self.busy or state == "idle")

    def _press(self) -> None:
        if self.busy:
            self.stop_wanted.emit()
        else:
            self.measure_wanted.emit(self.images.value())


def _choices(name: str, words: Sequence[str]) -> QComboBox:
    box = QComboBox()
    box.addItems(words)
    box.setAccessibleName(name)
    box.setToolTip(name)
    return box


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
