"""Profile panel: a sparsity for each layer, drawn by hand or fitted to a target."""

from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.plots.legend import Entry, Legend
from app.plots.profile import ProfileBars
from app.steering.profile.budgeting import Budgeting
from app.steering.profile.fitted import amount
from app.steering.profile.target_bar import TargetBar
from app.steering.steering import Steering
from app.steering.vanishing import alarm_of
from app.tables.profile_bars import Bar, ProfileModel
from app.tables.units import PREDICTED, percent, signed
from app.view import Table, View, page
from app.workspace import Workspace
from engine.steering.overrides import overridden, without_overrides

EMPTY = "Press Score (F9) to draw how sparse each layer shall be."
ENTRIES = (
    Entry("After the next prune", "sparsity", "outline"),
    Entry("Gone already", "sparsity", "bar"),
)
LIMIT = Entry("Floor or ceiling", "cut", "cut")
DRAWN = Entry("As it was drawn", "text", "cut")
COLUMNS = (
    "layer", "weights", "sparsity", "drawn", "floor", "ceiling", "locked",
    "predicted_loss",
)  # fmt: skip


class ProfilePanel(View):
    """A bar for each layer; what is drawn becomes an override of the recipe."""

    FILE = "profile.png"

    def __init__(
        self,
        workspace: Workspace,
        steering: Steering,
        budgeting: Budgeting,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._steering = workspace, steering
        self._budgeting = budgeting
        self.model = ProfileModel(self)
        self.bars = ProfileBars(self.model)
        self.target = TargetBar(budgeting)
        self.told, self.summary = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.alarm = QLabel(wordWrap=True)
        self.alarm.setProperty("role", "error")
        self._lay_out()
        self.bars.layer_chosen.connect(workspace.select_layer)
        self.bars.dragged.connect(steering.draw)
        self.bars.released.connect(steering.release)
        self.bars.cancelled.connect(steering.drop)
        self.bars.stepped.connect(self._step)
        self.bars.lock_asked.connect(budgeting.lock)
        workspace.layer_selected.connect(self._select)
        steering.changed.connect(self.catch_up)
        budgeting.changed.connect(self.catch_up)
        self.catch_up()

    def picture(self) -> QWidget:
        """All bars, however many there is room for in the window."""
        bars = ProfileBars(self.model)
        bars.setFixedHeight(bars.whole_height())
        return page(QLabel(self.summary.text()), Legend(self._entries()), bars)

    def numbers(self) -> Table:
        """A row per layer."""
        return COLUMNS, self._rows()

    def _lay_out(self) -> None:
        self.lock = QPushButton("Lock")
        self.lock.setCheckable(True)
        self.lock.setToolTip("Leave this layer as it is in every fit (L)")
        self.lock.clicked.connect(self._lock)
        self.clear = QPushButton("Clear all")
        self.clear.setToolTip(
            "Take every override away, so that layers follow the target again"
        )
        self.clear.clicked.connect(lambda: self._steering.clear(self._given()))
        self.save_button = QPushButton("Save…")
        self.save_button.setToolTip("A picture (PNG, SVG) or the numbers (CSV)")
        self.save_button.clicked.connect(self.ask)
        row = self.target.below
        row.addStretch(1)
        for button in (self.lock, self.clear, self.save_button):
            row.addWidget(button)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.target)
        words = QVBoxLayout()
        words.setContentsMargins(6, 2, 6, 2)
        words.setSpacing(2)
        self.legend = Legend(ENTRIES)
        for widget in (self.told, self.alarm, self.summary, self.legend):
            words.addWidget(widget)
        column.addLayout(words)
        column.addWidget(self.bars, 1)
        self._stack = self.fill(content, EMPTY)

    def catch_up(self) -> None:
        """Show things as they are now."""
        if not self.isVisible():
            return
        steering, budgeting = self._steering, self._budgeting
        known = steering.forecast is not None
        self._stack.set_empty(not known, steering.problem or EMPTY)
        if not known:
            return
        self.model.set_bars(self._bars())
        self.bars.movable = not steering.locked
        self._select(self._workspace.layer)
        self.target.refresh()
        self.clear.setEnabled(bool(self._given()) and not steering.locked)
        under_way = steering.locked if not budgeting.working else ""
        told = under_way or steering.refusal or budgeting.told
        self.told.setText(told)
        self.told.setVisible(bool(told))
        alarm = alarm_of(steering.emptied)
        self.alarm.setText(alarm)
        self.alarm.setVisible(bool(alarm))
        self.summary.setText(self._comes_to())
        self.legend.set_entries(self._entries())

    def _select(self, name: str) -> None:
        """The lock belongs to the chosen layer."""
        self.bars.choose(name)
        current = self.bars.current
        self.lock.setEnabled(current is not None and self.bars.movable)
        self.lock.setChecked(current is not None and current.locked)

    def _entries(self) -> tuple[Entry, ...]:
        bars = self.model.bars
        limited = any(bar.low > 0 or bar.high < 1 for bar in bars)
        moved = any(bar.drawn is not None for bar in bars)
        return ENTRIES + (LIMIT,) * limited + (DRAWN,) * moved

    def _bars(self) -> list[Bar]:
        names = self._steering.names()
        free = without_overrides(self._steering.allocation, names)
        return [self._bar(name, *free.limits(name)) for name in names]

    def _bar(self, name: str, low: float, high: float) -> Bar:
        steering, budgeting = self._steering, self._budgeting
        now, size = steering.sparsity(name), steering.size(name)
        drawn = budgeting.drawn.get(name, now)
        moved = drawn if abs(drawn - now) > 1 / size else None
        before, locked = steering.zeros(name) / size, name in budgeting.locked
        return Bar(name, now, before, low, high, locked, moved)

    def _comes_to(self) -> str:
        """The forecast in a line."""
        told, (macs, size) = self._steering.forecast, self._steering.dense
        loss = "unknown" if told.loss is None else signed(told.loss)
        parts = [
            f"{PREDICTED} {percent(told.sparsity)} sparse",
            f"loss {loss}",
            f"{amount('macs', told.macs)} of {amount('macs', macs)} MACs",
            f"{amount('bytes', told.bytes)} of {amount('bytes', size)}",
        ]
        timed = self._budgeting.spending("milliseconds")
        if timed is not None:
            now = amount("milliseconds", timed.total(told.zeros))
            parts.append(f"{now} of {amount('milliseconds', timed.whole)}")
        together = (part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
        return "  \N{MIDDLE DOT}  ".join(together)

    def _given(self) -> tuple[str, ...]:
        """Layers that have an override and are not locked."""
        allocation = self._steering.allocation
        return tuple(
            name
            for name in self._steering.names()
            if overridden(allocation, name) is not None
            and name not in self._budgeting.locked
        )

    def _rows(self):
        for bar in self._bars():
            yield (
                bar.name, self._steering.size(bar.name), bar.sparsity, bar.drawn,
                bar.low, bar.high, int(bar.locked), self._steering.loss(bar.name),
            )  # fmt: skip

    def _step(self, name: str, more: float) -> None:
        self._steering.draw(name, self._steering.sparsity(name) + more)
        self._steering.release(f"profile of {name}")

    def _lock(self, locked: bool) -> None:
        if self.bars.current is not None:
            self._budgeting.lock(self.bars.current.name, locked)
