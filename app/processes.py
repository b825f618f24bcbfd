"""Processes: a run that torchrun shares out over several processes of this machine."""

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

import engine
from app.bridge import Bridge
from app.following import Following
from engine import Follower
from engine.errors import EngineError
from engine.recipe import Recipe, dump

ROOT = Path(engine.__file__).parents[1]
TORCHRUNS_OWN = re.compile(r"[WEI]\d{4} |\[|Traceback")  # not a run's words
PATIENCE = 40_000  # milliseconds; torchrun itself gives its processes 30 seconds


class Processes(QObject):
    """Starts and stops torchrun; what the run says comes through its folder."""

    ended = Signal(object)  # the run's last Event
    failed = Signal(object)  # EngineError: the run did not begin

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._following = Following(bridge, self)
        self._following.ended.connect(self._on_ended)
        self._process = QProcess(self)
        self._process.finished.connect(self._following.finish)
        self._process.errorOccurred.connect(self._on_error)
        self._recipe: Path | None = None

    @property
    def running(self) -> bool:
        """Whether there is such a run."""
        return self._following.active

    def run(self, recipe: Recipe, folder: Path, trusted: frozenset[str]) -> None:
        """Prune; see `Runner.start`."""
        words = ["run", self._write(recipe), "--out", str(folder)]
        self._start(words, recipe, Follower(folder), trusted)

    def branch(
        self,
        folder: Path,
        node: int,
        recipe: Recipe,
        out: Path,
        trusted: frozenset[str],
    ) -> None:
        """Go on from a node of a run; see `Runner.branch`."""
        words = ["branch", str(folder), "--at", str(node), "--out", str(out)]
        words += ["--recipe", self._write(recipe)]
        self._start(words, recipe, Follower(out), trusted)

    def resume(self, recipe: Recipe, folder: Path, trusted: frozenset[str]) -> None:
        """Go on with a stopped run."""
        follower = Follower(folder, skip=True)
        self._start(["resume", str(folder)], recipe, follower, trusted)

    def stop(self) -> None:
        """Ask all processes to save what they have and end."""
        self._process.terminate()

    def close(self) -> None:
        """Stop, and wait for the end."""
        if self._process.state() == QProcess.ProcessState.NotRunning:
            return
        self._process.terminate()
        if not self._process.waitForFinished(PATIENCE):
            self._process.kill()
            self._process.waitForFinished()

    def _write(self, recipe: Recipe) -> str:
        """A file for the processes to read, which goes when they end."""
        handle, name = tempfile.mkstemp(suffix=".json", prefix="recipe-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(dump(recipe))
        self._recipe = Path(name)
        return name

    def _start(
        self,
        words: list[str],
        recipe: Recipe,
        follower: Follower,
        trusted: frozenset[str],
    ) -> None:
        count = recipe.machine.processes
        environment = QProcessEnvironment.systemEnvironment()
        paths = (str(ROOT), environment.value("PYTHONPATH"))
        environment.insert("PYTHONPATH", os.pathsep.join(p for p in paths if p))
        if not environment.contains("OMP_NUM_THREADS"):  # torchrun would say it is 1
            threads = max(1, (os.cpu_count() or 1) // count)
            environment.insert("OMP_NUM_THREADS", str(threads))
        if recipe.machine.device == "cpu":  # else there must be a GPU for each
            environment.insert("CUDA_VISIBLE_DEVICES", "")
        self._process.setProcessEnvironment(environment)
        self._process.setStandardOutputFile(QProcess.nullDevice())
        torchrun = ["-m", "torch.distributed.run", "--standalone"]
        engines = ["--nproc-per-node", str(count), "-m", "engine", *words]
        self._following.start(follower, own=True)
        self._process.start(
            sys.executable, [*torchrun, *engines, *_trust(recipe, trusted)]
        )

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._following.finish()

    def _on_ended(self, last: object) -> None:
        if self._recipe:
            self._recipe.unlink(missing_ok=True)
            self._recipe = None
        if last is None:
            said = bytes(self._process.readAllStandardError().data()).decode()
            self.failed.emit(_first_words(said))
        else:
            self.ended.emit(last)


def _trust(recipe: Recipe, trusted: frozenset[str]) -> list[str]:
    """The network's Python file, if a person has said that it may run."""
    file = Path(getattr(recipe.model, "file", ""))
    if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() in trusted:
        return ["--trust", str(file)]
    return []


def _first_words(said: str) -> EngineError:
    """What happened and what to do, the first two lines that a run wrote."""
    lines = [line for line in said.splitlines() if line.strip()]
    own = [line for line in lines if not TORCHRUNS_OWN.match(line)]
    if len(own) > 1:
        return EngineError(own[0], own[1])
    return EngineError(
        "The processes of the run could not be started.",
        "Set machine.processes to 1, or see the details.",
        tuple(lines[-20:]),
    )
