"""Amendment: what was changed in a recipe while its run went on, and where."""

from pydantic import field_validator

from engine.part import Part, field

Position = tuple[int, int, int]  # epochs done, prune steps done, steps halved
AMENDABLE = (
    "allocation.sparsity",
    "schedule.first",
    "schedule.start",
    "schedule.end",
    "schedule.interval",
    "schedule.degree",
    "finetune.epochs",
    "finetune.learning_rate",
    "finetune.decay_every",
    "finetune.decay_factor",
)


class Amendment(Part):
    """Holds from the first boundary between two steps of a run at or after `at`."""

    epoch: int = field(0, "Epoch", "Epochs of fine-tuning that were done.", ge=0)
    prunes: int = field(0, "Prunes", "Prune steps that were done.", ge=0)
    halvings: int = field(0, "Halvings", "Steps halved by then.", ge=0)
    changes: dict[str, int | float] = field({}, "Changes", "New values by dotted key.")

    @field_validator("changes")
    @classmethod
    def _amendable(cls, changes: dict[str, int | float]) -> dict[str, int | float]:
        for key in changes:
            if key not in AMENDABLE:
                raise ValueError(f"{key} cannot change during a run")
        return changes

    @property
    def at(self) -> Position:
        """Where it took effect; positions of a run never go back."""
        return self.epoch, self.prunes, self.halvings
