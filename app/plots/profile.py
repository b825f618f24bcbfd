"""Profile: the sparsity of every layer, drawn by dragging its bar or by keys."""

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QListView, QWidget

from app.plots.profile_row import PAD, ProfileRow
from app.tables.profile_bars import Bar, ProfileModel

STEP, STRIDE = 0.01, 0.05  # of a layer, per key and with Shift


class ProfileBars(QListView):
    """Up and Down choose a layer, Left and Right move its bar, L locks it."""

    layer_chosen = Signal(str)  # full parameter name
    dragged = Signal(str, float)  # name, sparsity
    released = Signal()
    stepped = Signal(str, float)  # name, how much more
    lock_asked = Signal(str, bool)
    cancelled = Signal()

    def __init__(self, model: ProfileModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self._bars = model
        self._held = ""
        self.movable = True
        self._delegate = ProfileRow(self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName("Sparsity of each layer, to be drawn")
        self.selectionModel().currentChanged.connect(self._choose)

    def choose(self, name: str) -> None:
        """Select this layer."""
        names = [each.name for each in self._bars.bars]
        if name in names:
            self.setCurrentIndex(self._bars.index(names.index(name)))

    @property
    def current(self) -> Bar | None:
        """The selected layer."""
        row = self.currentIndex().row()
        return self._bars.bars[row] if 0 <= row < len(self._bars.bars) else None

    def place(self, name: str) -> QRect:
        """Where a layer's bar may reach, in the viewport."""
        row = [each.name for each in self._bars.bars].index(name)
        return self._delegate.track(self.visualRect(self._bars.index(row)))

    def whole_height(self) -> int:
        """Pixels that show every layer."""
        return max(self.sizeHintForRow(0), 1) * len(self._bars.bars) + 2

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a bar."""
        super().mousePressEvent(event)
        bar = self._under(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and bar and self._free(bar):
            self._held = bar.name
            self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the bar in hand; show which can be taken."""
        if self._held:
            self._drag(event.position().x())
            return
        bar = self._under(event.position().toPoint())
        takes = bar is not None and self._free(bar)
        shape = Qt.CursorShape.SplitHCursor if takes else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        super().mouseReleaseEvent(event)
        if self._held:
            self._held = ""
            self.released.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, lock or give up by keys."""
        bar, key = self.current, event.key()
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if key == Qt.Key.Key_Escape and self._held:
            self._held = ""
            self.cancelled.emit()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and bar:
            if self._free(bar):
                sign = 1 if key == Qt.Key.Key_Right else -1
                self.stepped.emit(bar.name, sign * (STRIDE if shift else STEP))
        elif key == Qt.Key.Key_L and bar and self.movable:
            self.lock_asked.emit(bar.name, not bar.locked)
        else:
            super().keyPressEvent(event)

    def _free(self, bar: Bar) -> bool:
        return self.movable and not bar.locked

    def _under(self, at: QPoint) -> Bar | None:
        """The layer on whose track the mouse is."""
        index = self.indexAt(at)
        if not index.isValid():
            return None
        track = self._delegate.track(self.visualRect(index))
        inside = track.left() - PAD <= at.x() <= track.right() + PAD
        return self._bars.bars[index.row()] if inside else None

    def _drag(self, x: float) -> None:
        track = self.place(self._held)
        share = (x - track.left()) / max(track.width(), 1)
        self.dragged.emit(self._held, min(max(share, 0.0), 1.0))

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            self.layer_chosen.emit(self._bars.bars[current.row()].name)
