"""Gradual: prune a little, fine-tune, prune again (Zhu and Gupta's cubic)."""

from typing import Literal

from pydantic import ConfigDict

from engine.errors import InputError
from engine.part import field
from engine.schedules.base import Level, Schedule


class Gradual(Schedule):
    """s_t = s_f + (s_i - s_f) (1 - (t - t0) / (n dt))^3 at every interval."""

    model_config = ConfigDict(title="Gradual")
    kind: Literal["gradual"] = "gradual"
    first: float = field(
        0.05, "First sparsity", "Where the first prune ends.", ge=0, lt=1
    )
    start: int = field(
        0,
        "First prune after",
        "Fine-tuning before the first prune.",
        ge=0,
        le=100_000,
        unit="epochs",
    )
    end: int = field(
        3,
        "Last prune after",
        "The target is reached here; recovery follows.",
        ge=0,
        le=100_000,
        unit="epochs",
    )
    interval: int = field(
        1,
        "Prune every",
        "Fine-tuning between two prunes.",
        ge=1,
        le=100_000,
        unit="epochs",
    )
    degree: float = field(
        3.0,
        "Degree",
        "3 is the cubic schedule; 1 is linear.",
        gt=0,
        le=10,
        advanced=True,
    )

    def levels(
        self, sparsity: float, epochs: int, start: float = 0.0
    ) -> tuple[Level, ...]:
        """One level per interval; the last one lands on `end` and the target."""
        if self.end < self.start:
            raise InputError(
                f"The last prune (epoch {self.end}) comes before the first "
                f"({self.start}).",
                "Set schedule.end to schedule.start or later.",
            )
        if self.end > epochs:
            raise InputError(
                f"The last prune is due after epoch {self.end}, "
                f"but fine-tuning has {epochs}.",
                "Raise finetune.epochs or lower schedule.end.",
            )
        due = [*range(self.start, self.end, self.interval), self.end]
        span = self.end - self.start
        first = min(max(self.first, start), sparsity)
        levels, reached = [], start
        for epoch in due:
            progress = (epoch - self.start) / span if span else 1.0
            target = sparsity + (first - sparsity) * (1 - progress) ** self.degree
            target = max(target, reached)
            levels.append(Level(epoch, self.path(reached, target, self.recomputations)))
            reached = target
        return tuple(levels)
