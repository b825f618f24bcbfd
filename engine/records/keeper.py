"""Keeper: decides which moments of a run become nodes of its timeline."""

from pathlib import Path

from engine import masks
from engine.errors import RunError
from engine.events import Branched, EpochFinished, Evaluated, Event, NodeKept, Pruned
from engine.job import Job
from engine.planning.memory import extent
from engine.planning.timeline import wanted
from engine.records import nodes
from engine.records.codec import finite
from engine.records.packs import Packs
from engine.records.timeline import nodes_of


class Keeper:
    """Keeps the dense network, what every prune, epoch and repair left, and the end.

    Called where nothing is half done, after the network was measured. A moment that was
    kept is not kept again, so it may be called once too often.

    Args:
        folder: Of the run.

    Attributes:
        branched: Whether the run began at a node of another one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = list(nodes_of(folder))
        self._packs = Packs()
        self._measured: Evaluated | EpochFinished | None = None
        self._what = ""  # of the setting; unknown before the first moment
        self.branched = False

    @property
    def ended(self) -> bool:
        """Whether the network that the run ended with was kept."""
        return bool(self._kept) and self._kept[-1].kind == "end"

    def hear(self, event: Event) -> None:
        """Remember what was measured of the network as it is."""
        if isinstance(event, Evaluated | EpochFinished):
            self._measured = event
        elif isinstance(event, Pruned):
            self._measured = None
        elif isinstance(event, Branched):
            self.branched = True

    def keep(self, job: Job, ended: bool = False) -> None:
        """Keep this moment unless the recipe or the one before makes it needless.

        Raises:
            RunError: It cannot be written.
        """
        if not self._what:
            self._begin(job)
        kind = self._kind(job, ended)
        if not kind or self._what == "nothing":
            return
        if self._what == "prunes" and kind == "epoch" and not _before_a_prune(job):
            return
        try:
            node, state = self._node(job, kind), job.state_dict()
            kept = nodes.keep(self._folder, node, state, self._packs)
        except OSError as error:
            raise RunError(
                f"Cannot keep the timeline in {self._folder}: {error.strerror}.",
                "Free disk space or set machine.timeline to nothing, then start again.",
            ) from error
        self._kept.append(kept)
        job.monitor.emit(kept)

    def _begin(self, job: Job) -> None:
        """Settle what to keep; drop what a run that goes on earlier comes to anew."""
        size = extent(job.model, job.problem.names, job.data)
        self._what, note = wanted(job.recipe, size, job.course.levels)
        if note:
            job.monitor.notice(note)
        at = _steps(job), job.finetuner.epoch
        later = [n for n in self._kept if n.step > at[0] or n.epoch > at[1]]
        nodes.drop(self._folder, later)
        self._kept = [node for node in self._kept if node not in later]
        self._packs = nodes.packs_of(self._folder, self._kept)

    def _kind(self, job: Job, ended: bool) -> str:
        """What became of the network since the last node; empty is nothing."""
        last = self._kept[-1] if self._kept else None
        if ended:
            return "" if last and last.kind == "end" else "end"
        if _steps(job) > (last.step if last else 0):
            return "prune"
        if job.finetuner.epoch > (last.epoch if last else 0):
            return "epoch"
        if last is None:
            return "dense"
        return "repair" if job.repaired and last.kind == "prune" else ""

    def _node(self, job: Job, kind: str) -> NodeKept:
        told, split = self._measured, "validation"
        if isinstance(told, Evaluated):
            split = told.split
        accuracy, loss = (told.accuracy, told.loss) if told else (None, None)
        return NodeKept(
            node=self._kept[-1].node + 1 if self._kept else 0,
            kind=kind,
            step=_steps(job),
            epoch=job.finetuner.epoch,
            sparsity=masks.sparsity(job.masks),
            accuracy=finite(accuracy),
            loss=finite(loss),
            split=split if finite(accuracy) is not None else "",
            size=0,
            state="",
            time=round(job.monitor.now(), 3),
        )


def _steps(job: Job) -> int:
    return len(job.predictions)


def _before_a_prune(job: Job) -> bool:
    due = None if job.course.over else job.course.next.epoch
    return due == job.finetuner.epoch
