"""Ctrl-C while the program still starts: one line instead of a traceback."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STOPPED = 130  # the exit code of whatever was stopped by a person


@contextmanager
def starting(program: bool) -> Iterator[None]:
    """Around slow imports.

    Args:
        program: This is `python -m engine` on its way; whoever else imports the engine
            gets the KeyboardInterrupt.
    """
    usual = signal.getsignal(signal.SIGINT)
    if not program or usual is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _leave(*_: object) -> None:
    """At once: an exception may be caught by what is being imported."""
    sys.stderr.write("Stopped before anything began.\n")
    sys.stderr.flush()
    os._exit(STOPPED)
