"""Following a run that another process, perhaps on another machine, is writing."""

import platform
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import InputError
from engine.events import LAST, Event
from engine.records import codec
from engine.records.contents import existing
from engine.records.store import HOST, LOCK

QUIET = 30.0  # seconds without a word after which another machine's run is over


class Follower:
    """Reads a run folder's events as they come; changes nothing in it.

    Args:
        folder: The run folder; it may appear later.
        skip: Leave out what is there already.

    Attributes:
        last: The newest event read.
    """

    def __init__(self, folder: str | Path, skip: bool = False) -> None:
        self.last: Event | None = None
        self._folder = Path(folder).absolute()
        self._path = self._folder / "events.jsonl"
        self._read = self._path.stat().st_size if skip and self._path.exists() else 0
        self._heard, self._catching_up = time.monotonic(), False

    @classmethod
    def of(cls, folder: str | Path) -> "Follower":
        """From the first event of a folder that is there.

        Raises:
            InputError: It is not a run folder.
        """
        follower = cls(existing(folder))
        try:
            age = time.time() - follower._path.stat().st_mtime
        except OSError as error:
            raise InputError(
                f"Cannot read {follower._path}: {error.strerror}.",
                "Choose a complete run folder.",
            ) from error
        follower._heard -= abs(age)  # another machine's clock may be ahead
        follower._catching_up = True
        return follower

    def news(self) -> Iterator[Event]:
        """The events since last time; a line that is not whole yet waits."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                lines = file.readlines()
        except FileNotFoundError:
            return
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._read += len(line)
            if not self._catching_up:
                self._heard = time.monotonic()
            self.last = codec.from_json(line.decode("utf-8", "replace"))
            yield self.last
        self._catching_up = False

    @property
    def over(self) -> bool:
        """Whether nothing more is to come: the run said so, or its writer is gone.

        The lock tells on the writer's machine; from another one, long silence does.
        """
        if isinstance(self.last, LAST):
            return True
        host = self._folder / HOST
        here = host.exists() and host.read_text() == platform.node()
        silent = here or time.monotonic() - self._heard > QUIET
        return silent and not _locked(self._folder / LOCK)


def _locked(path: Path) -> bool:
    """Whether a process holds this lock, as far as the file system can tell."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder we may only read
        return False
    lock.release()
    return False
