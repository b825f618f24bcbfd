"""Runs: the run folders that are set side by side, read on a thread of their own."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

import engine
from app.background import Background
from app.preferences import Preferences
from app.records.curves import Record
from engine import Digest
from engine.errors import EngineError
from engine.events import (
    EpochFinished,
    Evaluated,
    Event,
    LevelsPlanned,
    Pruned,
    RunStarted,
)
from engine.steering.events import LatencyMeasured

MEASURED = (RunStarted, LevelsPlanned, Pruned, Evaluated, EpochFinished)
DEPTH = 3  # folders below one that is no run in which runs are looked for
MOST = 2000  # runs found in one folder
PAUSE = 4000  # milliseconds between two looks at runs that are being written


@dataclass
class Entry:
    """A run; `digest` and `record` are None until they were read.

    Attributes:
        number: Of its colour and mark.
        drawn: Whether it is in the pictures.
        trouble: Why its curves are not complete, in a sentence.
        wanted: Whether its curves are being read.
        size: Bytes of its events when it was read.
    """

    folder: Path
    number: int
    drawn: bool
    digest: Digest | None = None
    record: Record | None = None
    latency: LatencyMeasured | None = None
    trouble: str = ""
    wanted: bool = False
    size: int = -1

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.name


class Runs(QObject):
    """The list of runs, in the order in which they were added.

    Args:
        preferences: Where the list is remembered.
        parent: Qt's.
    """

    changed = Signal()  # the list, or what is known of one
    told = Signal(str)  # what could not be done, in a sentence

    def __init__(self, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._reading = Background(self)  # the engine's may be busy for hours
        self._entries: dict[Path, Entry] = {}
        self._busy = False
        self._waiting: dict[Path, None] = {}  # to be looked at, in this order
        self._again = QTimer(self, interval=PAUSE)
        self._again.timeout.connect(self._look_again)

    @property
    def entries(self) -> list[Entry]:
        """All of them."""
        return list(self._entries.values())

    @property
    def drawn(self) -> list[Entry]:
        """Those in the pictures."""
        return [entry for entry in self._entries.values() if entry.drawn]

    def recall(self) -> None:
        """Bring back what is remembered."""
        remembered = self._preferences.values.compared
        self._insert((Path(each), drawn) for each, drawn in remembered.items())

    def add(self, paths: Iterable[Path]) -> None:
        """Add runs, and those in folders of runs; what is known already stays."""
        paths = list(paths)
        self._do(lambda: _found(paths), lambda found: self._add(paths, found))

    def remove(self, folders: Iterable[Path]) -> None:
        """Take these off the list; nothing on the disk changes."""
        for folder in folders:
            self._entries.pop(folder, None)
        self._remember()
        self.changed.emit()

    def draw(self, folders: Iterable[Path], drawn: bool) -> None:
        """Put these in the pictures, or take them out."""
        for folder in folders:
            self._entries[folder].drawn = drawn
        self._remember()
        self.changed.emit()

    def write_notes(self, folder: Path, text: str) -> None:
        """Keep what the person wrote in the run folder."""
        self._do(lambda: engine.write_notes(folder, text), lambda _: self._read(folder))

    def want_curves(self) -> None:
        """Read the events of what is drawn and was not read."""
        for entry in self.drawn:
            entry.wanted = entry.wanted or entry.record is None
        self._go_on()

    def read_again(self) -> None:
        """Look at every folder anew."""
        for entry in self.entries:
            entry.size = -1
            self._read(entry.folder)

    def take(self, measured: list[LatencyMeasured]) -> None:
        """Keep what was measured; a batch of another size makes the others old."""
        for each in measured:
            for entry in self.entries:
                latency = entry.latency
                if latency and (latency.images, latency.device) != (
                    each.images, each.device,
                ):  # fmt: skip
                    entry.latency = None
            if Path(each.folder) in self._entries:
                self._entries[Path(each.folder)].latency = each
        self.changed.emit()

    def watch(self, on: bool) -> None:
        """Follow runs that are being written, while somebody looks."""
        if on:
            self._again.start()
        else:
            self._again.stop()

    def close(self) -> None:
        """Read no more."""
        self._again.stop()
        self._reading.close()

    def _add(self, paths: list[Path], found: list[Path]) -> None:
        if not found:
            names = ", ".join(path.name for path in paths)
            self.told.emit(f"There is no run in {names}: none has a recipe.json.")
        elif len(found) >= MOST:
            self.told.emit(f"Only the first {MOST:,} runs were added.")
        self._insert((each, True) for each in found)
        self._remember()

    def _insert(self, new: Iterable[tuple[Path, bool]]) -> None:
        fresh = [(each, drawn) for each, drawn in new if each not in self._entries]
        for folder, drawn in fresh:
            self._entries[folder] = Entry(folder, self._number(), drawn)
            self._read(folder)
        self.changed.emit()

    def _number(self) -> int:
        """The first that no run has."""
        taken = {entry.number for entry in self._entries.values()}
        return next(n for n in range(len(taken) + 1) if n not in taken)

    def _read(self, folder: Path) -> None:
        self._waiting[folder] = None
        self._go_on()

    def _go_on(self) -> None:
        """One folder after the other, so that the window has its turns between."""
        if self._busy:
            return
        wanted = next((entry.folder for entry in self.drawn if entry.wanted), None)
        if self._waiting:
            folder = next(iter(self._waiting))
            del self._waiting[folder]
            self._busy = True
            self._do(lambda: (_size(folder), engine.digest(folder)), self._take)
        elif wanted is not None:
            self._busy = True
            self._do(lambda: _curves(wanted), lambda told: self._keep(wanted, *told))

    def _take(self, read: tuple[int, Digest]) -> None:
        size, digest = read
        entry = self._entries.get(digest.folder)
        if entry is not None:  # else it was removed meanwhile
            if size != entry.size:
                entry.size = size
                entry.wanted = entry.record is not None  # there is more of it
            entry.digest = digest
            self.changed.emit()
        self._busy = False
        self._go_on()

    def _keep(self, folder: Path, record: Record, trouble: str) -> None:
        entry = self._entries.get(folder)
        if entry is not None:
            entry.record, entry.trouble, entry.wanted = record, trouble, False
            self.changed.emit()
        self._busy = False
        self._go_on()

    def _look_again(self) -> None:
        """At what is being written, where there is more of it."""
        running = [e for e in self.entries if e.digest and e.digest.state == "running"]
        for entry in running:
            self._read(entry.folder)

    def _remember(self) -> None:
        compared = {str(entry.folder): entry.drawn for entry in self.entries}
        self._preferences.change(compared=compared)

    def _do(self, work, done) -> None:
        self._reading.do(work, done, self._fail)

    def _fail(self, error: BaseException) -> None:
        self._busy = False
        if not isinstance(error, EngineError):
            raise error  # a defect, which the window's net reports
        self.told.emit(f"{error.message} {error.hint}".strip())


def _found(paths: list[Path]) -> list[Path]:
    """The run folders among and below these, those of a folder by name."""
    found: list[Path] = []
    for path in paths:
        top = path.expanduser().absolute()
        if (top / "recipe.json").is_file():
            found.append(top)
            continue
        for folder, inside, files in os.walk(top):
            inside.sort()
            if "recipe.json" in files:
                found.append(Path(folder))
                inside.clear()
            if len(Path(folder).relative_to(top).parts) >= DEPTH:
                inside.clear()
            if len(found) >= MOST:
                break
    return found


def _size(folder: Path) -> int:
    """Bytes of its events; 0 where there are none."""
    try:
        return (folder / "events.jsonl").stat().st_size
    except OSError:
        return 0


def _curves(folder: Path) -> tuple[Record, str]:
    """What can be drawn of a run, and why that is not all of it."""
    events: list[Event] = []
    trouble, record = "", Record()
    try:
        for event in engine.replay(folder, MEASURED):
            events.append(event)
    except EngineError as error:
        trouble = f"{folder.name}: {error.message}"
    record.add(events)
    return record, trouble
