"""Course: how far the run on show is in its schedule, gathered from its events."""

from app.records.curves import Record
from engine.events import (
    LAST,
    Amended,
    Event,
    LevelsPlanned,
    Pruned,
    RunStarted,
)

NEAR = 1e-3  # of the weights: rounding leaves a prune this far from its level


class Course:
    """Prunes done and to come, learning rates, and what was changed on the way.

    Attributes:
        planned: The newest plan, done prunes included; None before one.
        done: Epoch and level of each prune step, as the allocation counts it.
        changes: What was changed while it went on, in words, by epoch and prune.
    """

    def __init__(self) -> None:
        self.record = Record()
        self.planned: LevelsPlanned | None = None
        self.done: list[tuple[float, float]] = []
        self.changes: dict[tuple[int, int, str], Amended] = {}
        self.over = False

    def add(self, events: list[Event]) -> None:
        """Take events in, in the order they were sent."""
        self.record.add(events)
        for event in events:
            if isinstance(event, RunStarted):
                self.over = False
            elif isinstance(event, LevelsPlanned):
                self.planned = event
            elif isinstance(event, Pruned):
                del self.done[event.step - 1 :]  # a resumed run repeats some
                self.done.append((event.epoch, self._level(event)))
            elif isinstance(event, Amended):
                self.changes[event.epoch, event.prunes, event.words] = event
            elif isinstance(event, LAST):
                self.over = True

    @property
    def now(self) -> float:
        """Epochs done, fractional."""
        return self.record.last("epoch")

    @property
    def begin(self) -> float:
        """What was gone before the first prune."""
        return (self.record.start or 0.0) / 100

    @property
    def reached(self) -> float:
        """What is gone by now, as the allocation counts it."""
        return self.done[-1][1] if self.done else self.begin

    @property
    def ahead(self) -> tuple[tuple[float, float], ...]:
        """Epoch and level of the prunes to come, as the run has told them."""
        if self.planned is None:
            return ()
        levels = zip(self.planned.epochs, self.planned.sparsities, strict=True)
        last = self.done[-1][0] if self.done else -1.0
        return tuple(
            (epoch, level)
            for epoch, level in levels
            if epoch > last or (epoch == last and level > self.reached + NEAR)
        )

    @property
    def under_way(self) -> bool:
        """Whether a prune has taken some of its steps, and not all."""
        ahead = self.ahead
        return bool(self.done and ahead and ahead[0][0] == self.done[-1][0])

    def _level(self, event: Pruned) -> float:
        """Sparsity; of anything else but weights, the level that the prune was for."""
        plan = self.planned
        if plan is None or plan.of == "weights":
            return event.sparsity
        due = zip(plan.epochs, plan.sparsities, strict=True)
        return max((s for e, s in due if e <= event.epoch), default=0.0)
