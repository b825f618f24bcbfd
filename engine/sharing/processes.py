"""The processes of a run: the single one, for which nothing is to be done."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from torch import Tensor, nn

from engine.errors import EngineError
from engine.monitor import Control

T = TypeVar("T")


class Ranks:
    """What a run asks of its processes, answered for one alone; see `ranks.Team`.

    Attributes:
        rank, size: Number of this process, and of all; `first` is rank 0.
    """

    rank, size = 0, 1

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part: every `size`-th item."""
        return items[self.rank :: self.size]

    def slice(self, batch: Tensor) -> tuple[Tensor, float]:
        """This process's images of a batch, and the weight of their mean."""
        return batch, 1.0

    def control(self, buttons: Control | None) -> Control:
        """The buttons of all processes as one."""
        return buttons or Control()

    def turns(self) -> Iterator[bool]:
        """True when it is this process's turn; the first may download for the rest."""
        yield True

    def told(self, work: Callable[[], T]) -> T:
        """What `work` gives in the first process."""
        return work()

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        return values

    def average(self, tensors: list[Tensor], weight: float) -> None:
        """Weighted means over all processes, in place; one message for all tensors."""

    def send(self, values: Tensor, source: int) -> Tensor:
        """What process `source` has, in place everywhere."""
        return values

    def gather(self, rows: Tensor, counts: list[int], target: int) -> list[Tensor]:
        """All processes' rows (count, width) in the process `target`; else nothing."""
        return [rows]

    def align(self, model: nn.Module) -> None:
        """Give every process the first one's parameters and buffers."""

    def ensure_same(self, what: str, value: Callable[[], str]) -> None:
        """Compare with all processes.

        Raises:
            RunError: They differ.
        """

    def confess(self, error: EngineError) -> None:
        """Leave word of why this process ends, for the first one to tell."""


ALONE = Ranks()
