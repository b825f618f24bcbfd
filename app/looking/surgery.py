"""Surgery: one layer's curvature at a time, and what removing one weight would move."""

from functools import partial

from PySide6.QtCore import QObject, Signal

import engine
from app.looking.networks import NEXT, Networks
from app.runner import Runner
from app.workspace import Workspace
from engine import Known, LayerFit, Network
from engine.looking.layer_weights import SingleRemoval


class Surgery(QObject):
    """Fits a layer when asked and keeps it until another is, or it is out of date.

    A run needs the memory, so nothing is kept during one.
    """

    changed = Signal()  # a layer was fitted, or is no more
    answered = Signal(object)  # SingleRemoval

    def __init__(
        self,
        workspace: Workspace,
        networks: Networks,
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._networks, self._runner, self._workspace = networks, runner, workspace
        self._fit: LayerFit | None = None
        self._of: tuple[Network, str] | None = None
        self._which, self._ticket = "", 0
        self.fitting = ""  # name of the layer
        networks.changed.connect(self._check)
        workspace.state_changed.connect(self._make_room)

    def has(self, network: Network | None, name: str) -> bool:
        """Whether this layer of this network is fitted."""
        return self._fit is not None and self._is_of(network, name)

    def fit(self, which: str, name: str) -> None:
        """Fit a layer of that network behind the window; see `Networks`."""
        network = self._networks.of(which)
        if network is None or self._networks.obstacle(which):
            return
        self._drop()
        self.fitting, self._which = name, which
        self._of = network, name
        images = self._networks.images
        work = partial(engine.fit_layer, network, name, images)
        self._runner.look(work, partial(self._take, images))
        self.changed.emit()

    def stop(self) -> None:
        """Fit no further."""
        if self.fitting:
            self._runner.stop()

    def ask(self, position: int) -> None:
        """Tell what removing this weight of the layer moves; the newest counts."""
        fit = self._fit
        if fit is not None and self._workspace.state == "idle":
            self._ticket += 1
            ticket = self._ticket
            self._runner.ask(
                partial(fit.remove, position), lambda told: self._tell(ticket, told)
            )

    def _tell(self, ticket: int, told: SingleRemoval) -> None:
        if ticket == self._ticket:
            self.answered.emit(told)

    def _take(self, images: Known, fit: LayerFit) -> None:
        self._networks.images = images
        network, name = self._of or (None, "")
        now = self._networks.of(self._which)
        if self._is_of(now, name) and not self._networks.obstacle(self._which):
            self._fit, self._of = fit, (network, name)
        self.changed.emit()

    def _is_of(self, network: Network | None, name: str) -> bool:
        """The forecast may have changed since, but not the weights."""
        if network is None or self._of is None:
            return False
        return self._of[0].state is network.state and self._of[1] == name

    def _check(self, which: str) -> None:
        """Another network, or another method: what was fitted holds no more."""
        if self._fit is None or which != self._which:
            return
        out_of_date = which == NEXT and bool(self._networks.obstacle(NEXT))
        if out_of_date or not self._is_of(self._networks.of(which), self._fit.name):
            self._drop()
            self.changed.emit()

    def _make_room(self, state: str) -> None:
        if state == "running" and not self.fitting:
            self._drop()
        elif state == "idle":
            self.fitting = ""
        self.changed.emit()

    def _drop(self) -> None:
        self._fit = self._of = None
        self._ticket += 1
