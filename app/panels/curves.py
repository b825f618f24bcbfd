"""Curves panel: the live curves of a run, with their buttons."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.bridge import Bridge
from app.plots.base import small_font
from app.plots.curves import CurvesFigure
from app.plots.readout import readout
from app.records.curves import COLUMNS, Record
from app.view import Table, View
from app.workspace import Workspace
from engine.events import Event

REDRAW = 60  # milliseconds between two drawings
EMPTY = "Press Start to see loss, accuracy, sparsity and learning rate here."
HINT = "Wheel zooms, drag pans, double click or A resets. Point at a curve for values."


class CurvesPanel(View):
    """Gathers a run's curves and draws them, at most every `REDRAW` milliseconds."""

    FILE = "curves.png"

    def __init__(
        self, workspace: Workspace, bridge: Bridge, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.record = Record()
        self.figure = CurvesFigure()
        self._axis = ""  # as chosen; empty is "what suits the run"
        self._dirty = False
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self.catch_up)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._toolbar())
        layout.addWidget(self.figure, 1)
        self._readout = QLabel(HINT)
        self._readout.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self._readout.setFont(small_font())
        self._readout.setContentsMargins(6, 0, 6, 2)
        layout.addWidget(self._readout)
        self._stack = self.fill(content, EMPTY)
        self.figure.pointed.connect(self._point)
        self.figure.left.connect(lambda: self._readout.setText(HINT))
        reset = QShortcut(QKeySequence("A"), self)
        reset.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        reset.activated.connect(self.figure.reset_view)
        bridge.on(Event, self._add)
        bridge.cleared.connect(self._clear)

    @property
    def axis(self) -> str:
        """`epoch` or `seconds`; a run without fine-tuning has only seconds to show."""
        return self._axis or ("seconds" if self.record.total_epochs == 0 else "epoch")

    def picture(self) -> QWidget:
        """The plots and their legend as they are now."""
        self.catch_up()
        return self.figure

    def numbers(self) -> Table:
        """Every point."""
        return COLUMNS, self.record.rows()

    def _toolbar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        self._axes = QButtonGroup(self)
        for name, text in (("epoch", "Epochs"), ("seconds", "Seconds")):
            button = QPushButton(text, checkable=True)
            button.setToolTip(f"Draw over {text.lower()}")
            button.setProperty("axis", name)
            self._axes.addButton(button)
            bar.addWidget(button)
        self._axes.buttonClicked.connect(self._choose_axis)
        bar.addStretch(1)
        for text, tip, slot in (
            ("Reset view", "Show everything (A)", self.figure.reset_view),
            ("Save…", "A picture (PNG, SVG) or every point (CSV)", self.ask),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        return bar

    def _add(self, events: list[Event]) -> None:
        self.record.add(events)
        self._mark()

    def _clear(self) -> None:
        self.record = Record()
        self._axis = ""
        self._readout.setText(HINT)
        self.figure.draw(self.record, self.axis)
        self.figure.reset_view()
        self._stack.set_empty(True)

    def _mark(self) -> None:
        self._dirty = True
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def catch_up(self) -> None:
        """Show things as they are now."""
        self._stack.set_empty(self.record.empty)
        if self._dirty:
            self._dirty = False
            self.figure.draw(self.record, self.axis)
        for button in self._axes.buttons():
            button.setChecked(button.property("axis") == self.axis)

    def _choose_axis(self, button: QPushButton) -> None:
        self._axis = button.property("axis")
        self._dirty = True
        self.catch_up()

    def _point(self, x: float) -> None:
        self._readout.setText(readout(self.record, self.axis, x))
