"""Background: one thread for the engine; answers come back on the GUI thread."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Signal

NICENESS = 5  # of the engine's thread and those it starts


class Background(QObject):
    """Does one thing after the other beside the window."""

    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="engine", initializer=_give_way
        )
        self._closed = False
        self._finished.connect(self._deliver)

    def do(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run `work` on the thread, then `done(result)` or `failed(error)` here.

        After `close` nothing is done: an answer may ask for more as the window ends.
        """
        if self._closed:
            return
        future = self._pool.submit(work)
        future.add_done_callback(lambda each: self._finished.emit((each, done, failed)))

    def close(self) -> None:
        """Forget what has not begun, and wait for what has."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, answer: tuple[Future, Callable, Callable]) -> None:
        future, done, failed = answer
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            done(future.result())
        else:
            failed(error)


def _give_way() -> None:
    """Let the window be painted first when all cores are busy."""
    if sys.platform == "linux":  # elsewhere a niceness belongs to the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
