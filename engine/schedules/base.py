"""What a schedule is: when to prune, and how far each time."""

from dataclasses import dataclass

from engine.part import Part, field


@dataclass(frozen=True)
class Level:
    """One prune: due after `epoch` epochs of fine-tuning, through `steps` sparsities.

    Curvature is fitted anew before each step; the last step is the level's sparsity.
    """

    epoch: int
    steps: tuple[float, ...]

    @property
    def sparsity(self) -> float:
        """Where the level ends."""
        return self.steps[-1]


class Schedule(Part):
    """When the network is pruned."""

    recomputations: int = field(
        1,
        "Steps per prune",
        "Cut each prune into this many steps, with fresh curvature before each.",
        ge=1,
        le=256,
    )

    def levels(
        self, sparsity: float, epochs: int, start: float = 0.0
    ) -> tuple[Level, ...]:
        """The prunes that lead to `sparsity` within `epochs` epochs.

        Args:
            sparsity: The target.
            epochs: Fine-tuning epochs in all.
            start: Sparsity the network already has.

        Raises:
            InputError: The schedule does not fit into the epochs.
        """
        raise NotImplementedError


def spread(start: float, end: float, steps: int, spacing: str) -> tuple[float, ...]:
    """Sparsities after each of `steps` steps from `start` (excluded) to `end`.

    `linear` removes the same number each time (oBERT), `exponential` the same share of
    the survivors (M-FAC), `polynomial` slows down towards the end (WoodFisher,
    degree 2). See methods: recomputation inside one prune.
    """
    if spacing == "exponential" and end < 1 and start < 1:
        ratio = (1 - end) / (1 - start)
        path = [1 - (1 - start) * ratio ** (j / steps) for j in range(1, steps)]
    else:
        degree = 2 if spacing == "polynomial" else 1
        path = [
            start + (end - start) * (1 - (1 - j / steps) ** degree)
            for j in range(1, steps)
        ]
    return (*path, end)
