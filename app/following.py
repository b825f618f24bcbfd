"""Following: tells the window what another process writes into a run folder."""

from PySide6.QtCore import QObject, QTimer, Signal

from app.bridge import Bridge
from engine import Follower

INTERVAL = 200  # milliseconds between two looks at the folder


class Following(QObject):
    """Posts the news of one run folder until nothing more is to come.

    Only the lines that are new are read, so a look costs well under a millisecond.
    """

    ended = Signal(object)  # the run's last Event, or None when it said nothing

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._follower: Follower | None = None
        self._own = False
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self._look)

    @property
    def active(self) -> bool:
        """Whether a run is being followed."""
        return self._timer.isActive()

    def start(self, follower: Follower, own: bool = False) -> None:
        """Follow this run from where the follower is.

        Args:
            follower: Of the run folder.
            own: This window started the run and calls `finish` when it is over.
        """
        self._follower, self._own = follower, own
        self._timer.start()

    def stop(self) -> None:
        """Follow no more; nothing is said."""
        self._timer.stop()

    def finish(self) -> None:
        """Read what is left, then tell the end: whoever wrote it is gone."""
        if self.active:
            self._timer.stop()
            self._read()
            last = self._follower.last
            self._bridge.when_empty(lambda: self.ended.emit(last))

    def _look(self) -> None:
        self._read()
        if not self._own and self._follower.over:
            self.finish()  # it may have spoken between the two

    def _read(self) -> None:
        for event in self._follower.news():
            self._bridge.post(event)
