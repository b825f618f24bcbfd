"""RunLog: what a run says and leaves, on its way to listeners and to its folder."""

from collections.abc import Callable
from pathlib import Path

from engine.events import Event, RunFailed
from engine.job import Job
from engine.recipe import Recipe
from engine.records.keeper import Keeper
from engine.records.store import Store
from engine.records.summary import summarise


class RunLog:
    """Passes events on, and to the run folder as soon as there is one.

    Of several processes only one `speaks`; the logs of the others swallow everything.
    """

    def __init__(self, emit: Callable[[Event], None], speaks: bool) -> None:
        self._emit, self._speaks = emit, speaks
        self._waiting: list[Event] = []
        self._store: Store | None = None
        self._keeper: Keeper | None = None

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        if self._speaks and isinstance(event, RunFailed):
            self._emit(event)  # first: the folder may be what failed
            self._record(event)
        elif self._speaks:
            self._record(event)
            self._emit(event)

    def open(self, make: Callable[[], Store]) -> None:
        """Have a run folder, in the process that speaks."""
        if self._speaks and not self._store:
            self._store = make()
            self._keeper = Keeper(self._store.folder)
            for event in self._waiting:
                self._record(event)
            self._waiting.clear()

    @property
    def folder(self) -> Path | None:
        """The run folder, if there is one."""
        return self._store.folder if self._store else None

    def save_recipe(self, recipe: Recipe) -> None:
        """Write the recipe with what was changed on the way."""
        if self._store:
            self._store.save_recipe(recipe)

    def save_state(self, job: Job) -> None:
        """Keep what `resume` needs."""
        if self._store:
            self._store.save_state(job.state_dict())

    def keep_node(self, job: Job, ended: bool = False) -> None:
        """Keep the moment, if it is one for the timeline."""
        if self._keeper:
            self._keeper.keep(job, ended)

    def save_result(self, job: Job) -> Path | None:
        """Write what the run amounts to; the file of the network if it has one."""
        if not self._store:
            return None
        shared = self._keeper.branched and self._keeper.ended
        weights = None if shared else job.model.state_dict()
        return self._store.save_result(weights, summarise(job))

    def close(self) -> None:
        """Release the folder."""
        if self._store:
            self._store.close()

    def _record(self, event: Event) -> None:
        if self._store is None:
            self._waiting.append(event)
            return
        self._store.record(event)
        self._keeper.hear(event)
