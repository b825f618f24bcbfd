"""Garbage: what nobody can reach any more is freed on the GUI thread alone."""

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL = 500  # milliseconds between two looks


class Garbage(QObject):
    """Takes the place of Python's collector, which works on whatever thread is next.

    A dialog that is part of a cycle would be freed on the engine's thread now and then,
    and a widget that is freed anywhere but on the GUI thread ends the program.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def settle(self) -> None:
        """Keep everything made so far out of every later search.

        Torch brings hundreds of thousands of objects, and looking through them all held
        the window up for a fifth of a second now and then.
        """
        gc.freeze()

    def _look(self) -> None:
        """Search as far back as Python would by now."""
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [age for age, (count, most) in enumerate(counts) if count > most]
        if due:
            gc.collect(due[-1])
