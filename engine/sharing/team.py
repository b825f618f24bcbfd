"""Several processes on one run: rank 0 speaks, sums are all that the others see."""

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from engine.errors import EngineError, RunError
from engine.monitor import Control, Outcome
from engine.sharing.processes import Ranks

T = TypeVar("T")
TIMEOUT = timedelta(minutes=30)  # a share of work, or the first process's download
GLANCE = 0.2  # seconds between two looks at the stop button during a share of work


class Team(Ranks):
    """The processes that torchrun started, through torch.distributed.

    Args:
        store: The key-value store they share.
        rank, size: See `Ranks`.
        turn: Number of this process on its machine.
    """

    def __init__(self, store: dist.Store, rank: int, size: int, turn: int) -> None:
        self.rank, self.size = rank, size
        self._store, self._turn = store, turn

    def slice(self, batch: Tensor) -> tuple[Tensor, float]:
        """Equal slices; a batch too small for two images each goes to everyone.

        Batch norm cannot do with less than two.
        """
        if len(batch) < 2 * self.size:
            return batch, 1 / self.size
        mine = batch.tensor_split(self.size)[self.rank]
        return mine, len(mine) / len(batch)

    def control(self, buttons: Control | None) -> Control:
        """Agreed on at every check."""
        return TeamControl(self, self._store, buttons or Control())

    def turns(self) -> Iterator[bool]:
        """The first process of each machine, then the others."""
        yield self._turn == 0
        yield self._turn != 0

    def told(self, work: Callable[[], T]) -> T:
        """The first process's answer, or its failure, sent to all."""
        answer: list[Any] = [None, None]
        failure = None
        if self.first:
            try:
                answer[0] = work()
            except Exception as error:
                failure, answer[1] = error, portable(error)
        with self.watch():
            dist.broadcast_object_list(answer, 0, device=torch.device("cpu"))
        if answer[1] is not None:
            raise failure or answer[1]
        return answer[0]

    def sum(self, values: Tensor) -> Tensor:
        """One all-reduce."""
        with self.watch():
            dist.all_reduce(values)
        return values

    def average(self, tensors: list[Tensor], weight: float) -> None:
        """One all-reduce of all of them end to end."""
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors]).mul_(weight)
        parts = self.sum(flat).split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.reshape(tensor.shape))

    def send(self, values: Tensor, source: int) -> Tensor:
        """One broadcast."""
        with self.watch():
            dist.broadcast(values, source)
        return values

    def gather(self, rows: Tensor, counts: list[int], target: int) -> list[Tensor]:
        """Sent in pieces of equal size, as the backends ask for."""
        padded = rows.new_zeros(max(counts), rows.shape[1])
        padded[: len(rows)] = rows
        here = self.rank == target
        found = [torch.empty_like(padded) for _ in counts] if here else None
        with self.watch():
            dist.gather(padded, found, target)
        return [each[:n] for each, n in zip(found or (), counts, strict=here)]

    def align(self, model: nn.Module) -> None:
        """One broadcast per tensor."""
        with torch.no_grad():
            for tensor in model.state_dict().values():
                tensor.copy_(self.send(tensor.detach().clone().contiguous(), 0))

    def ensure_same(self, what: str, value: Callable[[], str]) -> None:
        """See `Ranks`; every process hears of a difference."""
        if len(set(self.all(value()))) > 1:
            raise RunError(
                f"The processes of this run disagree on the {what}.",
                "Use the same hardware and software for all, then resume the run.",
            )

    def confess(self, error: EngineError) -> None:
        """Put it into the store, which outlives this process."""
        if not isinstance(error, Lost):
            with suppress(RuntimeError):  # whoever kept the store is gone
                self._store.set("failure", pickle.dumps((error.message, error.hint)))

    def all(self, value: T) -> list[T]:
        """Everyone's value, by rank."""
        found: list[Any] = [None] * self.size
        with self.watch():
            dist.all_gather_object(found, value)
        return found

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Turn the failure of a message into words.

        Raises:
            Lost: Another process is gone, or stuck for longer than `TIMEOUT`.
        """
        try:
            yield
        except RuntimeError as error:
            raise self._lost() from error

    def _lost(self) -> "Lost":
        with suppress(RuntimeError):
            if self._store.check(["failure"]):
                return Lost(*pickle.loads(self._store.get("failure")))
        return Lost("Another process of this run was lost.", "Resume the run to go on.")


class Lost(RunError):
    """The run cannot go on because another process ended."""


class TeamControl(Control):
    """The buttons of all processes as one: what is pressed anywhere holds everywhere.

    Args:
        team: All processes; each calls `sync` at the same moments, except `alone`.
        store: Where a stop is left for those who are not listening.
        buttons: Of this process.
    """

    def __init__(self, team: Team, store: dist.Store, buttons: Control) -> None:
        super().__init__()
        self._team, self._store, self._buttons = team, store, buttons
        self._alone, self._glanced = False, 0.0

    def sync(self) -> None:
        """Agree; `alone`, only look for a stop: a pause must wait for the others."""
        if self._alone:
            self._glance()
            return
        pressed = [self._buttons.stopping or self.stopping, self._buttons.paused]
        stop, pause = self._team.sum(torch.tensor(pressed, dtype=torch.int32)).tolist()
        if stop:
            self.stop()
        elif pause:
            self.pause()
        else:
            self.resume()

    def wish(self) -> dict[str, float] | None:
        """The first process's."""
        return self._team.told(self._buttons.wish)

    def wait(self) -> None:
        """Block while paused, in step: nobody runs into a timeout."""
        while self.paused and not self.stopping:
            time.sleep(GLANCE)
            self.sync()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Checks inside ask nobody."""
        self._alone = True
        try:
            yield
        finally:
            self._alone = False

    def gather(self, outcome: Outcome) -> list[Outcome]:
        """Everyone's, by rank."""
        failure, noticed = outcome
        return self._team.all((portable(failure), noticed))

    def _glance(self) -> None:
        if time.monotonic() - self._glanced < GLANCE:
            return
        self._glanced = time.monotonic()
        with self._team.watch():
            if self._buttons.stopping:
                self._store.set("stop", "1")
            if self._store.check(["stop"]):
                self.stop()


def portable(error: Exception | None) -> Exception | None:
    """The error as it can travel to another process."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:  # whatever an exception of some library does when pickled
        return RuntimeError(f"{type(error).__name__}: {error}")
