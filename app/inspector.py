"""Inspector: looks at the recipe's network and images whenever they change."""

from PySide6.QtCore import QObject, QTimer, Signal

import engine
from app.background import Background
from app.bridge import Bridge
from app.preferences import Preferences
from app.workspace import Workspace
from engine.errors import EngineError, TrustNeeded
from engine.events import Event, Noticed
from engine.recipe import Recipe

QUIET = 350  # milliseconds without an edit before the network is looked at


class Inspector(QObject):
    """Fills the views with the layers of the recipe's network, beside the window."""

    inspected = Signal()  # network and images of the recipe are fine
    inspect_failed = Signal(object)  # EngineError
    trust_needed = Signal(object)  # TrustNeeded
    crashed = Signal(object)  # any other exception: a defect

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        preferences: Preferences,
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._bridge = bridge
        self._preferences = preferences
        self._background = background
        self._newest = 0
        self._seen: tuple | None = None
        self._quiet = QTimer(self, interval=QUIET, singleShot=True)
        self._quiet.timeout.connect(self.inspect)
        workspace.recipe_changed.connect(self._on_recipe)

    def take_as_seen(self, recipe: Recipe) -> None:
        """Its network is on show already (an opened run): do not load it again."""
        self._seen = _looked_at(recipe)
        self._newest += 1
        self._quiet.stop()

    def inspect(self) -> None:
        """Load the recipe's network and data beside the window and show the layers."""
        recipe = self._workspace.recipe
        before, self._seen = self._seen, _looked_at(recipe)
        anew = before is None or before[:2] != self._seen[:2]
        self._newest += 1
        ticket, trust = self._newest, self._preferences.trusted
        events: list[Event] = []

        def look() -> None:
            if ticket == self._newest:
                engine.inspect(recipe, emit=events.append, trust=trust)

        self._background.do(
            look,
            lambda _: self._on_inspected(ticket, events, anew),
            lambda error: self._on_inspect_failed(ticket, events, error),
        )

    def close(self) -> None:
        """Forget what is under way."""
        self._newest += 1
        self._quiet.stop()

    def _on_recipe(self, recipe: Recipe) -> None:
        if self._workspace.state != "idle":
            return
        if _looked_at(recipe) != self._seen:
            self._newest += 1  # an answer under way is about another recipe
            self._quiet.start()
        else:
            self._quiet.stop()

    def _on_inspected(self, ticket: int, events: list[Event], anew: bool) -> None:
        if ticket == self._newest:
            self._show(events, anew)
            self.inspected.emit()

    def _on_inspect_failed(
        self, ticket: int, events: list[Event], error: BaseException
    ) -> None:
        if ticket != self._newest:
            return
        if isinstance(error, TrustNeeded):
            self._show(events, True)
            self.trust_needed.emit(error)
        elif isinstance(error, EngineError):
            notice = Noticed("warning", error.message, error.hint)
            self._show([*events, notice], True)
            self.inspect_failed.emit(error)
        else:
            self.crashed.emit(error)

    def _show(self, events: list[Event], anew: bool) -> None:
        if anew:
            self._workspace.set_folder(None)
            self._bridge.clear()
        for event in events:
            self._bridge.post(event)


def _looked_at(recipe: Recipe) -> tuple:
    """What an inspection depends on."""
    target = recipe.allocation
    return recipe.model, recipe.data, target.exclude, target.floor, target.ceiling
