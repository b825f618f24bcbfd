"""One-shot: prune to the target at once, then fine-tune (or not)."""

from typing import Literal

from pydantic import ConfigDict

from engine.part import field
from engine.schedules.base import Level, Schedule, spread


class OneShot(Schedule):
    """A single prune before any fine-tuning."""

    model_config = ConfigDict(title="One-shot")
    kind: Literal["one_shot"] = "one_shot"
    spacing: Literal["exponential", "linear", "polynomial"] = field(
        "exponential",
        "Step spacing",
        "Exponential removes the same share of survivors each step.",
        advanced=True,
    )

    def path(self, start: float, end: float, steps: int) -> tuple[float, ...]:
        """By the spacing of the steps."""
        return spread(start, end, steps, self.spacing)

    def levels(
        self, sparsity: float, epochs: int, start: float = 0.0
    ) -> tuple[Level, ...]:
        """One level at epoch 0."""
        return (Level(0, self.path(start, sparsity, self.recomputations)),)
