"""Schedule panel: when is pruned, how far, and how fast is learned, with handles."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.plots.schedule import ScheduleFigure
from app.steering.schedule.handles import Handle, told
from app.steering.schedule.picture import COLUMNS, picture, rows, sentence
from app.steering.schedule.strip import Strip
from app.view import Table, View

REDRAW = 60  # milliseconds between two drawings of what a run tells
KEYS = "Arrows move it (Shift for more), Tab goes on."
ENTER = "Enter changes the run, Esc forgets the move."
ASKED = "Asked for; it takes effect before the run's next step."


class SchedulePanel(View):
    """The strip with its handles, and in words what they say."""

    FILE = "schedule.png"

    def __init__(self, strip: Strip, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strip = strip
        self._rows = 0  # of keys on one handle, which are taken back together
        self.figure = ScheduleFigure()
        self.note, self.text = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.alarm = QLabel(wordWrap=True)
        self.alarm.setProperty("role", "error")
        self.forget = QPushButton("Forget changes")
        self.forget.setToolTip("Take out what was changed while the run went on")
        self.keep = QPushButton("Keep as plan")
        self.keep.setToolTip("Plan from the start what the changes led to")
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self.catch_up)
        self._lay_out()
        grips = self.figure.grips
        grips.moved.connect(strip.move)
        grips.released.connect(lambda _: strip.release())
        grips.stepped.connect(self._step)
        grips.chosen.connect(self._choose)
        self.figure.cancelled.connect(strip.drop)
        self.figure.confirmed.connect(strip.release)
        self.forget.clicked.connect(lambda: strip.settle(keep=False))
        self.keep.clicked.connect(lambda: strip.settle(keep=True))
        strip.changed.connect(self.catch_up)
        strip.went_on.connect(self._mark)
        self.catch_up()

    def numbers(self) -> Table:
        """The points of the strip."""
        return COLUMNS, rows(self.strip)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.note, 1)
        for text, tip, slot in (
            ("Reset view", "Show everything (double click)", self.figure.reset_view),
            ("Save…", "A picture (PNG, SVG) or the points (CSV)", self.ask),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            bar.addWidget(button)
        foot = QHBoxLayout()
        foot.setContentsMargins(6, 0, 6, 0)
        foot.addWidget(self.text, 1)
        foot.addWidget(self.forget)
        foot.addWidget(self.keep)
        self.alarm.setContentsMargins(6, 0, 6, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        column.addLayout(bar)
        column.addWidget(self.figure, 1)
        column.addLayout(foot)
        column.addWidget(self.alarm)

    def _mark(self) -> None:
        """A run tells more than is worth drawing one by one."""
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def catch_up(self) -> None:
        """Show things as they are now."""
        if not self.isVisible():
            return
        strip = self.strip
        self.figure.draw(picture(strip))
        self.note.setText(sentence(strip))
        changed = bool(strip.locked) and bool(strip.amended)
        self.forget.setVisible(changed)
        self.keep.setVisible(changed)
        handle = self.figure.grips.active
        self.text.setText(self._words(handle) if handle else strip.locked)
        self.alarm.setText(strip.words)
        self.alarm.setVisible(bool(strip.words))

    def _words(self, handle: Handle) -> str:
        strip = self.strip
        what = f"{handle.title}: {told(strip.recipe, handle)}."
        if strip.asked:
            return f"{what} {ASKED}"
        hint = ENTER if strip.live and strip.unsent else KEYS
        return f"{what} {strip.locked or handle.fixed or hint}"

    def _step(self, handle: Handle, x: float, y: float) -> None:
        self.strip.move(handle, x, y)
        if not self.strip.live:  # a run is changed once, by Enter
            self.strip.release(f"handle {handle.name} {self._rows}")

    def _choose(self) -> None:
        self._rows += 1
        self.catch_up()
