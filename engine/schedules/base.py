"""What a schedule is: when to prune, and how far each time."""

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import field_validator

from engine.errors import InputError
from engine.part import Part, field
from engine.words.units import percent

MOST = 3  # times a step may be halved
Spacing = Literal["exponential", "linear", "polynomial"]


@dataclass(frozen=True)
class Level:
    """One prune: due after `epoch` epochs of fine-tuning, through `steps` sparsities.

    Curvature is fitted anew before each step; the last step is the level's sparsity.
    `depths` tells how often each step was halved; empty is never.
    """

    epoch: int
    steps: tuple[float, ...]
    depths: tuple[int, ...] = ()

    def depth(self, at: int) -> int:
        """How often the step there was halved."""
        return self.depths[at] if self.depths else 0

    def halved(self, at: int, middle: float) -> "Level":
        """The step there is two now, the first of which ends at `middle`."""
        steps, depth = self.steps, self.depth(at) + 1
        depths = self.depths or (0,) * len(steps)
        return replace(
            self,
            steps=(*steps[:at], middle, *steps[at:]),
            depths=(*depths[:at], depth, depth, *depths[at + 1 :]),
        )

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
    spacing: Spacing = field(
        "exponential",
        "Step spacing",
        "Exponential removes the same share of survivors each step.",
        advanced=True,
    )
    adaptive: float = field(
        0.0,
        "Halve steps beyond",
        "A step that raises the check images' loss by over this factor times what "
        f"was predicted is undone and taken in two, up to {MOST} times over.",
        ge=0,
        le=1_000_000,
        special="Off",
        unit="times",
    )

    @field_validator("adaptive")
    @classmethod
    def _a_factor(cls, value: float) -> float:
        if 0 < value < 1:
            raise ValueError("It is 0 (off) or a factor of at least 1")
        return value

    def path(self, start: float, end: float, steps: int) -> tuple[float, ...]:
        """The sparsities after each of the steps from `start` to `end`."""
        return spread(start, end, steps, self.spacing)

    def middle(self, start: float, end: float) -> float:
        """Where the first of two steps from `start` to `end` ends."""
        return self.path(start, end, 2)[0]

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

    def onward(
        self,
        planned: tuple[Level, ...],
        now: int,
        last: int,
        reached: float,
        left: int = 0,
    ) -> tuple[Level, ...]:
        """The prunes still to come of a plan, from where a run has come to.

        A prune whose sparsity is reached already is left out, so that none removes
        nothing; the last one always leads to the target.

        Args:
            planned: By `levels`.
            now: Epochs done.
            last: Epoch of the last prune begun; -1 before the first.
            reached: Sparsity by now, as the allocation counts it.
            left: Steps that the prune under way still has; 0 when none is.

        Raises:
            InputError: The plan ends before now, or not above what is reached.
        """
        end = planned[-1]
        if end.epoch < now:
            raise InputError(
                f"The last prune would be due after epoch {end.epoch}, and {now} "
                f"{'is' if now == 1 else 'are'} done.",
                f"Set it to {now} or later.",
            )
        if end.sparsity <= reached:
            raise InputError(
                f"{percent(reached, 2)} is removed already, so the target cannot be "
                f"{percent(end.sparsity, 2)}.",
                "Choose a target above it.",
            )
        onward = []
        for level in planned:
            under_way = bool(left) and level.epoch == last
            due = level.epoch >= now and (level.epoch > last or under_way)
            if (due or level is end) and level.sparsity > reached:
                steps = left if under_way else self.recomputations
                path = self.path(reached, level.sparsity, steps)
                onward.append(Level(level.epoch, path))
                reached = level.sparsity
        return tuple(onward)


def spread(start: float, end: float, steps: int, spacing: Spacing) -> tuple[float, ...]:
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
