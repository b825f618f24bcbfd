"""Damping panel: what damping does to ranks and losses, and whether N is enough."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.forms.number import NumberEditor
from app.forms.words import number_words
from app.plots import export
from app.plots.damping import DampingFigure
from app.plots.empty import EmptyState
from app.steering.damping.steering import DampingSteering
from app.steering.damping.words import (
    EMPTY,
    JOINT,
    LOOKING,
    MEANING,
    RULE,
    RULE_SAMPLES,
    in_words,
    unbroken,
)
from app.tables.settling_view import SettlingView
from app.tables.units import count, percent
from app.view import Table, View
from app.workspace import Workspace
from engine.looking.damping import Advice
from engine.recipe import setting_of

COLUMNS = (
    "damping", "damping_to_mean_diagonal", "rank_agreement", "overlap",
    "predicted_loss", "left_out_loss", "is_recipe",
)  # fmt: skip


class DampingPanel(View):
    """Curves above, layers below; the damping moves by mouse, keys and numbers."""

    FILE = "damping.png"

    def __init__(
        self,
        workspace: Workspace,
        steering: DampingSteering,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self.steering = workspace, steering
        self.figure = DampingFigure()
        self.words = QLabel(wordWrap=True)
        self.words.setContentsMargins(8, 0, 8, 0)
        self.look = QPushButton("Look")
        self.look.setToolTip("Collect gradients and take their curvature apart")
        self.field = NumberEditor(setting_of("estimator", "damping"))
        self.field.setFixedWidth(96)
        self.field.setAccessibleName("Damping")
        self.field.setToolTip("The damping; moves with the line in the plots")
        self.use, self.use_samples = QPushButton(), QPushButton()
        self.advice, self.advice_samples = QLabel(), QLabel()
        self.note = QLabel(wordWrap=True)
        self.view = SettlingView()
        self._lay_out()
        self._connect()
        self._draw()

    def catch_up(self) -> None:
        """Somebody looks: the steering draws what it holds back."""
        self.steering.watch(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks now."""
        super().hideEvent(event)
        self.steering.watch(False)

    def numbers(self) -> Table:
        """The points of the curves."""
        return COLUMNS, self._rows()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        bar.addWidget(self.look)
        name = QLabel("Damping")
        name.setBuddy(self.field)
        bar.addWidget(name)
        bar.addWidget(self.field)
        bar.addStretch(1)
        self._reset = QPushButton("Reset view")
        self._reset.setToolTip("Show the curves as at first (double click)")
        self._save = QPushButton("Save…")
        self._save.setToolTip("A picture (PNG, SVG) or the curves (CSV)")
        self._save_layers = QPushButton("Save layers…")
        self._save_layers.setToolTip("The stability of every layer (CSV)")
        for button in (self._reset, self._save):
            bar.addWidget(button)
        upper, lower = QWidget(), QWidget()
        above, below = QVBoxLayout(upper), QVBoxLayout(lower)
        for column in (above, below):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
        above.addLayout(_advice(self.advice, self.use, RULE))
        above.addWidget(self.figure, 1)
        above.addWidget(self.words)
        below.addLayout(
            _advice(
                self.advice_samples, self.use_samples, RULE_SAMPLES, self._save_layers
            )
        )
        below.addWidget(self.view, 1)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(upper)
        parts.addWidget(lower)
        parts.setSizes([380, 150])
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 1)
        parts.setChildrenCollapsible(False)
        self._stack = EmptyState(parts, EMPTY)
        self.note.setContentsMargins(8, 0, 8, 0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(bar)
        outer.addWidget(self.note)
        outer.addWidget(self._stack, 1)

    def _connect(self) -> None:
        steering, figure = self.steering, self.figure
        self.look.clicked.connect(self._look)
        self.field.edited.connect(self._edit)
        self.field.finished.connect(self._finish)
        self.use.clicked.connect(
            lambda: steering.change("damping", steering.advice.value)
        )
        self.use_samples.clicked.connect(
            lambda: steering.change("samples", int(steering.samples.value))
        )
        figure.dragged.connect(steering.drag)
        figure.released.connect(steering.release)
        figure.cancelled.connect(steering.drop)
        figure.stepped.connect(self._step)
        self._reset.clicked.connect(figure.reset_view)
        self._save.clicked.connect(self.ask)
        self._save_layers.clicked.connect(
            lambda: export.ask_and_save(
                self, "stability.csv", export.TABLES, self.view.save
            )
        )
        self.view.layer_chosen.connect(self._workspace.select_layer)
        self._workspace.layer_selected.connect(self.view.select)
        steering.changed.connect(self._draw)

    def _look(self) -> None:
        if self.steering.looking:
            self.steering.stop()
        else:
            self.steering.look()

    def _edit(self, value: object) -> None:
        if isinstance(value, int | float) and value > 0:
            self.steering.drag(float(value))

    def _finish(self) -> None:
        self.steering.release()
        self._draw()

    def _step(self, damping: float) -> None:
        self.steering.drag(damping)
        self.steering.release("damping by keys")

    def _draw(self) -> None:
        if not self.isVisible():
            return
        steering, state = self.steering, self._workspace.state
        looking = steering.looking and state != "idle"
        self.look.setText("Stop" if looking else "Look")
        self.look.setEnabled(looking or (state == "idle" and not steering.refusal))
        known = steering.shown is not None
        missing = LOOKING if looking else steering.problem or EMPTY
        self._stack.set_empty(not known, missing)
        for button in (self._reset, self._save, self._save_layers):
            button.setEnabled(known and steering.complete)
        self.field.setEnabled(known and not steering.locked)
        self.note.setVisible(known)
        if not known:
            return
        self.note.setText(unbroken(steering.problem or self._told()))
        if not (self.field.hasFocus() and steering.moving):  # it is being typed
            self.field.show_value(float(f"{steering.shown.damping:.3g}"))
        if steering.complete:
            self.figure.draw(steering.points, steering.mean, not steering.locked)
        advised = steering.advice and steering.advice.value
        self.figure.place(steering.shown, advised)
        self.words.setText(unbroken(in_words(steering)))
        self.words.setToolTip(MEANING)
        self._draw_advice()
        self.view.show_settling(steering.settled)
        self.view.select(self._workspace.layer)

    def _draw_advice(self) -> None:
        steering, method = self.steering, self._workspace.recipe.estimator
        self._show_advice(
            self.advice, self.use, "damping", steering.advice, method.damping
        )
        if steering.complete and steering.advice is None:
            self.advice.setText(JOINT)
        self._show_advice(
            self.advice_samples, self.use_samples, "gradients (N)", steering.samples,
            method.samples,
        )  # fmt: skip

    def _show_advice(
        self,
        label: QLabel,
        button: QPushButton,
        what: str,
        advice: Advice | None,
        now: float,
    ) -> None:
        button.setVisible(advice is not None and advice.value != now)
        if advice is None:
            label.setText("Reckoning\N{HORIZONTAL ELLIPSIS}")
            return
        value = number_words(advice.value)
        label.setText(unbroken(f"Suggested {what}: {value}; {advice.reason}."))
        button.setText(f"Use {value}")
        button.setEnabled(not self.steering.locked)

    def _told(self) -> str:
        """What was looked at, in a sentence."""
        study = self.steering.study
        told = (
            f"{count(len(study.weights))} sampled weights, {study.samples} gradients."
        )
        if study.dropped:
            told += f" {study.dropped} blocks of curvature were left out."
        if self._workspace.recipe.pattern.kind != "unstructured":
            told += " Weights are compared one by one, not in the pattern's sets."
        if self.steering.settled is not None:
            whole = percent(self.steering.settled.whole)
            told += f" Bootstrap removes {whole} the same."
        return told

    def _rows(self) -> Iterator[tuple]:
        for point in self.steering.points:
            yield (
                point.damping, point.ratio, point.ranks, point.overlap,
                point.predicted, point.left_out, 0,
            )  # fmt: skip
        now = self.steering.shown
        yield (
            now.damping, now.ratio, now.ranks, now.overlap, now.predicted,
            now.left_out, 1,
        )  # fmt: skip


def _advice(label: QLabel, *widgets: QWidget | str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(8, 2, 6, 0)
    label.setWordWrap(True)
    row.addWidget(label, 1)
    for widget in widgets:
        if isinstance(widget, str):
            label.setToolTip(widget)
        else:
            row.addWidget(widget)
    return row
