"""MomentBar: says above every view which moment of the run they show."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.bridge import Bridge
from app.records.timeline import Nodes
from engine.events import Event
from engine.words.units import percent


class MomentBar(QFrame):
    """Hidden while the run is shown as it stands."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self.setProperty("level", "warning")
        self._bridge = bridge
        self._nodes = Nodes()
        self.text = QLabel(self, wordWrap=True)
        self.back = QPushButton("Back to the newest", self)
        self.back.clicked.connect(lambda: bridge.look(None))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.addWidget(self.text, 1)
        row.addWidget(self.back)
        bridge.heard.connect(self._add)
        bridge.begun.connect(self._forget)
        bridge.looked.connect(self._show)
        self.hide()

    def _add(self, events: list[Event]) -> None:
        if self._nodes.add(events):
            self._show()

    def _forget(self) -> None:
        self._nodes = Nodes()

    def _show(self) -> None:
        moment = self._bridge.moment
        if moment is not None:
            title = self._nodes.title(moment)
            self.text.setText(
                f"You look at {title[0].lower()}{title[1:]}, "
                f"{percent(moment.sparsity)} sparse: every view of the run shows that "
                "moment. Export takes the newest network; Score and Start begin from "
                "the recipe's."
            )
        self.setVisible(moment is not None)
