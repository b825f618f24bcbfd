"""Family: the runs beside the one on show that share moments with it."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.background import Background
from app.workspace import Workspace
from engine.errors import EngineError
from engine.records.timeline import Line, family_of


class Family(QObject):
    """Looked up beside the window: when another run is shown, and when one ends."""

    changed = Signal()
    failed = Signal(object)  # a defect

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._background = Background(self)
        self._newest = 0
        self.others: tuple[Line, ...] = ()
        workspace.folder_changed.connect(self._forget)
        workspace.state_changed.connect(self._look_when_idle)

    def look(self) -> None:
        """Look again."""
        folder = self._workspace.folder
        self._newest += 1
        if folder is not None and folder.is_dir():
            ticket = self._newest
            self._background.do(
                partial(family_of, folder),
                lambda lines: self._take(ticket, lines),
                lambda error: self._pass_by(ticket, error),
            )

    def close(self) -> None:
        """Look no more."""
        self._newest += 1
        self._background.close()

    def _forget(self, folder: Path | None) -> None:
        self.others = ()
        self.changed.emit()
        self.look()

    def _look_when_idle(self, state: str) -> None:
        if state == "idle":
            self.look()

    def _take(self, ticket: int, lines: tuple[Line, ...]) -> None:
        if ticket == self._newest:
            self.others = lines[1:]
            self.changed.emit()

    def _pass_by(self, ticket: int, error: BaseException) -> None:
        """A list that cannot be read leaves the run without a family."""
        if not isinstance(error, EngineError | OSError):
            self.failed.emit(error)
