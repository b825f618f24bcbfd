"""One-shot: prune to the target at once, then fine-tune (or not)."""

from typing import Literal

from pydantic import ConfigDict

from engine.schedules.base import Level, Schedule


class OneShot(Schedule):
    """A single prune before any fine-tuning."""

    model_config = ConfigDict(title="One-shot")
    kind: Literal["one_shot"] = "one_shot"

    def levels(
        self, sparsity: float, epochs: int, start: float = 0.0
    ) -> tuple[Level, ...]:
        """One level at epoch 0."""
        return (Level(0, self.path(start, sparsity, self.recomputations)),)
