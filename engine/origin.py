"""Where a run begins: with the network as it comes, or where an earlier one stood."""

from pathlib import Path
from typing import Any

from engine import masks
from engine.events import Restored
from engine.job import Job
from engine.layers import layer_states
from engine.monitor import Monitor
from engine.records import contents
from engine.records.log import RunLog
from engine.records.store import Store
from engine.sharing.processes import Ranks


class Origin:
    """The network as it comes, in a new folder.

    Attributes:
        resumed: Whether the run goes on from a state.
    """

    resumed = False

    def state(
        self, folder: Path, log: RunLog, monitor: Monitor, ranks: Ranks
    ) -> dict[str, Any] | None:
        """What to go on from; asked for before the run's first word."""
        return None

    def settle(self, job: Job, state: dict[str, Any]) -> None:
        """Put a loaded job into this state, and tell of it."""
        job.load_state_dict(state)
        states = layer_states(job.masks, job.thresholds)
        job.monitor.emit(Restored(masks.sparsity(job.masks), states))

    def open(self, folder: Path, log: RunLog, job: Job) -> None:
        """See that there is a run folder, now that network and data are loaded."""
        log.open(lambda: Store.create(folder, job.recipe))


class Resumed(Origin):
    """The newest state of a run that was stopped or broken off, in its folder."""

    resumed = True

    def state(
        self, folder: Path, log: RunLog, monitor: Monitor, ranks: Ranks
    ) -> dict[str, Any] | None:
        """Lock the folder; its newest state that loads."""
        with monitor.apart():
            log.open(lambda: Store.open(folder))
        broken: list[Path] = []
        state = ranks.told(lambda: contents.newest_state(folder, broken.append))
        for path in broken:
            monitor.notice(f"{path.name} is broken and was passed by.")
        if state is None:
            monitor.notice("No saved state was found, so the run starts over.")
        else:
            monitor.go_on_from(state["elapsed"])
        return state

    def open(self, folder: Path, log: RunLog, job: Job) -> None:
        """It is open already."""
