"""History: an opened run folder, told again, and followed while it still goes on."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.background import Background
from app.bridge import Bridge
from app.following import Following
from app.workspace import Workspace
from engine import Follower
from engine.events import Event, RunFinished
from engine.recipe import Recipe

CHUNK = 200  # events between two short rests that leave the window its turn
REST = 0.002  # seconds


class History(QObject):
    """Replays one run folder at a time, read beside the window.

    A run that another process or machine is writing goes on live; it is only looked at.
    """

    opened = Signal(object, object)  # Path, the run's last Event or None
    failed = Signal(object)  # the exception that ended the reading

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._bridge = bridge
        self._background = background
        self._following = Following(bridge, self)
        self._following.ended.connect(self._on_followed)
        self._newest = 0
        self._folder: Path | None = None
        workspace.folder_changed.connect(self._on_folder)

    def open(
        self, folder: Path, recipe: Recipe, taken: Callable[[Recipe], None]
    ) -> None:
        """Show a run.

        Args:
            folder: The run folder.
            recipe: The recipe in it.
            taken: Told before the recipe is shown, so that nothing loads it again.
        """
        self._newest += 1
        ticket, self._folder = self._newest, folder
        taken(recipe)
        self._bridge.clear()
        self._workspace.set_recipe(recipe)
        self._workspace.set_folder(folder)
        self._background.do(
            lambda: self._tell(folder, ticket),
            lambda follower: self._on_told(folder, ticket, follower),
            self.failed.emit,
        )

    def leave(self) -> None:
        """Follow the run no longer; it does not notice."""
        self._following.stop()
        if self._workspace.state == "following":
            self._workspace.set_state("idle")

    def _on_folder(self, folder: Path | None) -> None:
        """Tell no more of a run that is no longer on show."""
        if folder != self._folder:
            self._newest += 1

    def _tell(self, folder: Path, ticket: int) -> Follower:
        follower = Follower.of(folder)
        for number, event in enumerate(follower.news()):
            if ticket != self._newest:
                break
            self._bridge.post(event)
            if number % CHUNK == CHUNK - 1:
                time.sleep(REST)
        return follower

    def _on_told(self, folder: Path, ticket: int, follower: Follower) -> None:
        if ticket != self._newest:
            return
        if follower.over:
            last = follower.last
            self._bridge.when_empty(lambda: self.opened.emit(folder, last))
        elif self._workspace.state == "idle":  # no run was started meanwhile
            self._workspace.set_state("following")
            self._following.start(follower)

    def _on_followed(self, last: Event | None) -> None:
        if self._workspace.state == "following":  # nothing else was opened meanwhile
            self._workspace.set_state("idle")
            self.opened.emit(self._workspace.folder, last)


def can_resume(last: Event | None) -> bool:
    """Whether a run that ended like this, or in a power cut, can go on."""
    return not isinstance(last, RunFinished)
