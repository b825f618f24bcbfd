"""Runner: starts, pauses and stops the engine on the background thread."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

import engine
from app.background import Background
from app.bridge import Bridge, news
from app.inspector import Inspector
from app.preferences import Preferences
from app.processes import Processes
from app.steering.thresholds.probing import Probing
from app.workspace import Workspace
from engine.comparing.comparison import Comparison
from engine.errors import EngineError, InputError, Stopped, TrustNeeded
from engine.events import Event
from engine.recipe import Recipe


class Runner(QObject):
    """One engine job at a time, and the state of the workspace to go with it."""

    trust_needed = Signal(object)  # TrustNeeded
    run_failed = Signal(object)  # EngineError
    run_ended = Signal(object)  # the last Event of a run on this machine
    crashed = Signal(object)  # any other exception: a defect
    exported = Signal(object)  # ExportReport
    export_failed = Signal(object)  # EngineError
    planned = Signal(object, object)  # Recipe, Plan
    plan_failed = Signal(object, object)  # Recipe, EngineError
    scored = Signal(object, object)  # Recipe, Study

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        preferences: Preferences,
        background: Background,
        inspector: Inspector,
        probing: Probing,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._bridge = bridge
        self._preferences = preferences
        self._background = background
        self._inspector = inspector
        self._probing = probing
        self._control = engine.Control()
        self._processes = Processes(bridge, self)
        self._processes.ended.connect(self._on_processes_ended)
        self._processes.failed.connect(self._on_run_error)
        self._last: Event | None = None
        self._running = False  # a run, and not a look or a comparison
        self._looking = False

    def start(self, recipe: Recipe, folder: Path) -> None:
        """Prune; everything the run says goes to the bridge."""
        self._inspector.take_as_seen(recipe)
        if recipe.machine.processes > 1:
            self._show_start(folder)
            self._processes.run(recipe, folder, self._preferences.trusted)
            return
        self._begin(
            folder,
            lambda control, trust: engine.run(
                recipe, folder, emit=self._post, control=control, trust=trust,
                watch=lambda study: self.scored.emit(recipe, study),
            ),
        )  # fmt: skip

    def branch(self, folder: Path, node: int, recipe: Recipe, out: Path) -> None:
        """Go on from a node of a run with this recipe, in a new folder."""
        self._inspector.take_as_seen(recipe)
        if recipe.machine.processes > 1:
            self._show_start(out)
            trusted = self._preferences.trusted
            self._processes.branch(folder, node, recipe, out, trusted)
            return
        self._begin(
            out,
            lambda control, trust: engine.branch(
                folder, node, out, recipe, self._post, control, trust
            ),
        )

    def resume(self, folder: Path) -> None:
        """Go on with a stopped run from its newest checkpoint."""
        recipe = self._workspace.recipe
        if recipe.machine.processes > 1:
            self._show_start(folder, clear=False)
            self._processes.resume(recipe, folder, self._preferences.trusted)
            return
        self._begin(
            folder,
            lambda control, trust: engine.resume(
                folder, emit=self._post, control=control, trust=trust
            ),
            clear=False,
        )

    def pause(self) -> None:
        """Hold the run at its next step."""
        self._control.pause()
        self._workspace.set_state("paused")

    def go_on(self) -> None:
        """Let a paused run go on."""
        self._control.resume()
        self._workspace.set_state("running")

    @property
    def looking(self) -> bool:
        """Whether what goes on is a look, which leaves nothing when it is stopped."""
        return self._looking

    @property
    def amendable(self) -> bool:
        """Whether what goes on is a run that `amend` can reach."""
        return self._running and not self._processes.running

    def amend(self, changes: dict[str, float]) -> None:
        """Ask the run to change its recipe, by dotted keys, before its next step."""
        self._control.amend(changes)

    def stop(self) -> None:
        """Ask the run to save what it has and end, unless it just has."""
        if self._workspace.state == "idle":
            return
        if self._processes.running:
            self._processes.stop()
        self._control.stop()
        self._workspace.set_state("stopping")

    def export(self, folder: Path, to: str, out: Path) -> None:
        """Write the pruned network to a file, new or given up, and check the file."""
        trust = self._preferences.trusted
        self._background.do(
            lambda: engine.export(folder, to, out, trust, replace=True),
            self.exported.emit,
            self._on_export_failed,
        )

    def plan(self, recipe: Recipe) -> None:
        """Predict what a run of this recipe takes."""
        trust, folder = self._preferences.trusted, self._preferences.runs
        self._background.do(
            lambda: engine.plan(recipe, trust, folder, watched=True),
            lambda plan: self.planned.emit(recipe, plan),
            lambda error: self._on_plan_failed(recipe, error),
        )

    def close(self) -> None:
        """Stop whatever goes on and wait for its end."""
        self._control.stop()
        self._processes.close()
        self._background.close()

    def compare(self, spec: Comparison, folder: Path) -> None:
        """Fill a comparison's cells; the run on show stays as it is."""
        self._last = None
        self._workspace.set_state("running")
        post = news(self._post)
        self._launch(
            lambda control, trust: engine.compare(
                spec, folder, emit=post, control=control, trust=trust
            )
        )

    def score(self) -> None:
        """Score the recipe's network without pruning; the run on show stays."""
        recipe = self._workspace.recipe
        self.look(
            partial(engine.score, recipe), lambda study: self.scored.emit(recipe, study)
        )

    def look(self, work: Callable[..., Any], done: Callable[[Any], None]) -> None:
        """Do what changes nothing; the run on show stays.

        Args:
            work: Of the engine's door; takes `emit`, `control` and `trust`.
            done: Hears the answer, unless it was stopped or failed.
        """
        self._last, self._looking = None, True
        self._workspace.set_state("running")
        post = news(self._bridge.post)
        self._launch(
            lambda control, trust: work(emit=post, control=control, trust=trust), done
        )

    def ask(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do what takes a moment on the engine's thread; nothing is said of it."""
        self._background.do(work, done, self._on_ask_failed)

    def _begin(self, folder: Path, work, clear: bool = True) -> None:
        self._show_start(folder, clear)
        self._launch(work)

    def _launch(self, work, done: Callable[[Any], None] = lambda answer: None) -> None:
        self._control = control = engine.Control()
        trust = self._preferences.trusted

        def alone() -> Any:
            self._probing.join()  # it may still draw from the same random numbers
            return work(control, trust)

        self._background.do(
            alone, lambda answer: self._on_ended(answer, done), self._on_run_error
        )

    def _show_start(self, folder: Path, clear: bool = True) -> None:
        self._last, self._running = None, True
        self._workspace.set_folder(folder)  # first: a replay under way ends with it
        if clear:
            self._bridge.clear()
        else:
            self._bridge.look(None)
        self._workspace.set_state("running")

    def _post(self, event: Event) -> None:
        self._last = event
        self._bridge.post(event)

    def _on_processes_ended(self, last: Event) -> None:
        self._last = last
        self._tell_end()

    def _on_ended(self, answer: Any, done: Callable[[Any], None]) -> None:
        self._bridge.when_empty(lambda: self._tell_end(answer, done))

    def _tell_end(
        self, answer: Any = None, done: Callable[[Any], None] = lambda answer: None
    ) -> None:
        self._running = self._looking = False
        self._workspace.set_state("idle")
        if answer is not None:
            done(answer)
        self.run_ended.emit(self._last)

    def _on_run_error(self, error: BaseException) -> None:
        self._bridge.when_empty(lambda: self._tell_failure(error))

    def _tell_failure(self, error: BaseException) -> None:
        """Without a folder it did not begin, so there is no run to show."""
        folder = self._workspace.folder
        if folder is not None and not folder.is_dir():
            self._workspace.set_folder(None)
        self._running = self._looking = False
        self._workspace.set_state("idle")
        if isinstance(error, TrustNeeded):
            self.trust_needed.emit(error)
        elif isinstance(error, EngineError):
            self.run_failed.emit(error)
        else:
            self.crashed.emit(error)
        self.run_ended.emit(self._last)

    def _on_ask_failed(self, error: BaseException) -> None:
        if isinstance(error, EngineError):
            self.run_failed.emit(error)
        elif not isinstance(error, Stopped):
            self.crashed.emit(error)

    def _on_export_failed(self, error: BaseException) -> None:
        if isinstance(error, EngineError):
            self.export_failed.emit(error)
        else:
            self.export_failed.emit(
                InputError("The export ended unexpectedly.", "See the report.")
            )
            self.crashed.emit(error)

    def _on_plan_failed(self, recipe: Recipe, error: BaseException) -> None:
        if isinstance(error, EngineError):
            self.plan_failed.emit(recipe, error)
        else:
            told = InputError("The plan ended unexpectedly.", "See the report.")
            self.plan_failed.emit(recipe, told)
            self.crashed.emit(error)
