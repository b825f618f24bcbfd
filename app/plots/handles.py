"""Grips: the handles of a schedule as points that mouse and keys move."""

import pyqtgraph as pg
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

from app.palette import Palette
from app.plots import base
from app.steering.schedule.handles import Handle

SIZE = 12  # pixels
SYMBOLS = {"epochs": "s", "interval": "t1", "shape": "d", "drop": "d"}  # others round
EPOCHS = (1, 5)  # per key, and with Shift
PERCENT = (0.5, 5.0)
FACTOR = (1.1, 2.0)  # of a learning rate


class Grips(QObject):
    """Each handle in its plot; one is active, and the keys move it.

    Args:
        plots: By name, as handles have it.
        parent: Qt's.
    """

    moved = Signal(object, float, float)  # Handle, x, y
    released = Signal(str)  # name of the handle
    stepped = Signal(object, float, float)  # Handle, x, y: by keys
    chosen = Signal()

    def __init__(self, plots: dict[str, pg.PlotItem], parent: QObject) -> None:
        super().__init__(parent)
        self._plots = plots
        self._handles: dict[str, Handle] = {}
        self._focus = False
        self._colours: Palette | None = None
        self.items: dict[str, pg.TargetItem] = {}
        self.name = ""  # of the active one

    @property
    def active(self) -> Handle | None:
        """The one that the keys move."""
        return self._handles.get(self.name)

    @property
    def held(self) -> bool:
        """Whether the mouse holds one."""
        return any(item.moving for item in self.items.values())

    def place(self, handles: tuple[Handle, ...], locked: bool) -> None:
        """Put them where they are now."""
        self._handles = {handle.name: handle for handle in handles}
        for name, handle in self._handles.items():
            item = self.items.get(name) or self._make(handle)
            item.movable = not (locked or handle.fixed)
            item.setToolTip(handle.title)
            item.blockSignals(True)
            item.setPos(handle.x, handle.y)
            item.blockSignals(False)
        for name, item in self.items.items():
            item.setVisible(name in self._handles)
        if self.name not in self._handles:
            self.name = next(iter(self._handles), "")
        self._draw()

    def recolour(self, colours: Palette) -> None:
        """Draw in these colours."""
        self._colours = colours
        self._draw()

    def set_focus(self, focus: bool) -> None:
        """Show which one the keys move."""
        self._focus = focus
        self._draw()

    def choose(self, forward: bool) -> bool:
        """Make the next one active; False where there is none left that way."""
        names = list(self._handles)
        at = names.index(self.name) + (1 if forward else -1) if names else -1
        if not 0 <= at < len(names):
            return False
        self._activate(names[at])
        return True

    def key(self, event: QKeyEvent) -> bool:
        """Move the active one by arrows; whether the key meant anything."""
        handle = self.active
        if handle is None:
            return False
        more = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        x, y = handle.x, handle.y
        match Qt.Key(event.key()):
            case Qt.Key.Key_Right if handle.across:
                x += EPOCHS[more]
            case Qt.Key.Key_Left if handle.across:
                x -= EPOCHS[more]
            case Qt.Key.Key_Up if handle.along:
                y = y + PERCENT[more] if handle.plot == "sparsity" else y * FACTOR[more]
            case Qt.Key.Key_Down if handle.along:
                y = y - PERCENT[more] if handle.plot == "sparsity" else y / FACTOR[more]
            case _:
                return False
        self.stepped.emit(handle, x, y)
        return True

    def choose_at(self, items: list) -> None:
        """Make the one among these graphics items active."""
        for name, item in self.items.items():
            if item in items:
                self._activate(name)

    def let_go(self) -> None:
        """The mouse holds nothing any more."""
        for item in self.items.values():
            item.moving = False

    def _make(self, handle: Handle) -> pg.TargetItem:
        name = handle.name
        item = self.items[name] = pg.TargetItem(
            size=SIZE, symbol=SYMBOLS.get(name, "o"), movable=True
        )
        item.setZValue(20)
        item.sigPositionChanged.connect(lambda it: self._drag(name, it))
        item.sigPositionChangeFinished.connect(lambda _: self.released.emit(name))
        self._plots[handle.plot].addItem(item, ignoreBounds=True)
        return item

    def _drag(self, name: str, item: pg.TargetItem) -> None:
        at = item.pos()  # before the others are drawn, and it with them
        self._activate(name)
        self.moved.emit(self._handles[name], at.x(), at.y())

    def _activate(self, name: str) -> None:
        if name != self.name:
            self.name = name
            self._draw()
            self.chosen.emit()

    def _draw(self) -> None:
        if self._colours is None:
            return
        for name, item in self.items.items():
            colour = self._colours.live if item.movable else self._colours.muted
            active = self._focus and name == self.name
            item.setPen(base.line(colour, 3 if active else 2))
            item.setHoverPen(base.line(colour, 3))
            fill = self._colours.selected if active else self._colours.background
            item.setBrush(fill if item.movable else None)  # what is done shows through
            item.setHoverBrush(self._colours.selected)
