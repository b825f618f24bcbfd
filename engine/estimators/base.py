"""What an estimator is: settings that fit a curvature to a problem."""

from typing import Any, ClassVar, Literal

import torch
from pydantic import model_validator
from torch import Tensor

from engine.curvature.base import Curvature, Losses, Removal, Untold
from engine.curvature.groups import Best, at, cheapest
from engine.curvature.layout import LiveWeights
from engine.facts import LayerInfo
from engine.gradients.collector import Rows
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import Part, field
from engine.planning.work import SINGLE, Work
from engine.problem import Fisher, Learned, Problem

Tensors = dict[str, Tensor]


class Uncompensated(Untold):
    """What curvatures share whose weights do not interact and stay as they are."""

    def cheapest(self, weights: Tensors, groups: Tensors, taken: Tensor) -> Best:
        """A subset costs the sum of its members' scores."""
        found = {}
        for name, scores in self.scores(weights).items():
            each = at(scores.reshape(-1), groups[name])
            losses = torch.stack([each[:, subset].sum(1) for subset in taken], 1)
            found[name] = cheapest(losses, taken, groups[name], scores.numel())
        return found

    def removal(
        self, weights: Tensors, removed: Masks, sets: Tensors | None = None
    ) -> Removal:
        """Takes the removed weights to 0."""
        corrections = {
            name: torch.where(removed[name], -weight, 0.0)
            for name, weight in weights.items()
        }
        losses = self._losses(weights, removed)
        if losses is None:
            return Removal(corrections, None, None)
        return Removal.adding_up(corrections, losses)

    def _losses(self, weights: Tensors, removed: Masks) -> Losses | None:
        """Scores that are no losses predict none."""
        return None


class Diagonal(Uncompensated):
    """Saliency 1/2 c w^2 for a curvature c of each weight alone.

    Args:
        curvature: (numel,) float64 per layer.
    """

    def __init__(self, curvature: dict[str, Tensor]) -> None:
        self._curvature = curvature

    def scores(self, weights: Tensors) -> Tensors:
        """1/2 c w^2 in float64."""
        return {
            name: weight.detach().double().square()
            * self._curvature[name].reshape(weight.shape)
            / 2
            for name, weight in weights.items()
        }

    def _losses(self, weights: Tensors, removed: Masks) -> Losses:
        """Weights do not interact: joint and single removals cost the same."""
        costs = {
            name: float(each[removed[name]].sum())
            for name, each in self.scores(weights).items()
        }
        return {name: (cost, cost) for name, cost in costs.items()}


class Estimator(Part):
    """Settings of one way to tell which weights matter.

    Attributes:
        fits_apart: A layer fitted by itself gives what it gives among the others.
    """

    fits_apart: ClassVar[bool] = False

    @property
    def compensates(self) -> bool:
        """Whether survivors make up for what is removed."""
        return getattr(self, "compensation", "none") != "none"

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> Curvature:
        """Look at the network (and data) as it is now.

        Phases `gradients` and `curvature` of the monitor time the two halves. Of
        several processes each gets the rows of `problem.gradients` of its own layers
        and fits only those, inside `monitor.apart()`; all else they do alike.
        """
        raise NotImplementedError

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """What one fit takes, for the plan.

        Args:
            layers: The prunable ones.
            train: Training images there are.
        """
        return Work()

    def learned(self, curvature: Curvature) -> Learned:
        """What the next prune step finds in `problem.learned`; most start anew.

        It is kept with the run's state, so a resumed run goes on from the same.
        """
        return {}


class ObsEstimator(Estimator):
    """Settings shared by the Optimal Brain Surgeon family.

    Attributes:
        joins_layers: All layers are one vector, so its rows cannot be paged by layer.
        newton_solves: How often a fit solves for a Newton step.
        newton_bytes: Memory that takes, per weight.
    """

    joins_layers: ClassVar[bool] = False
    newton_solves: ClassVar[int] = 0
    newton_bytes: ClassVar[int] = 0
    samples: int = field(
        400, "Gradients (N)", "Outer products in the empirical Fisher; more is finer.",
        ge=1, le=100_000,
    )  # fmt: skip
    batch: int = field(
        1, "Images per gradient (b)",
        "Images averaged inside each gradient; 1 is the true per-sample Fisher.",
        ge=1, le=4096,
    )  # fmt: skip
    fisher: Fisher = field(
        "empirical", "Fisher",
        "Labels of the gradients: the data's (empirical, as WoodFisher), or drawn from "
        "the network's softmax (true).", advanced=True,
    )  # fmt: skip
    damping: float = field(
        1e-5, "Damping",
        "Added to the Fisher's diagonal; large values act as magnitude.",
        gt=0, le=1e6,
    )  # fmt: skip
    block_size: int = field(
        2000, "Block size", "Neighbouring weights of a layer that share one inverse.",
        ge=0, le=1_000_000, special="Whole layer", unit="weights",
    )  # fmt: skip
    auto_block: bool = field(
        False, "Largest block that fits",
        "Chooses the block size by the memory there is; the plan says which.",
    )  # fmt: skip
    order: Literal["independent", "greedy"] = field(
        "independent", "Elimination order",
        "Saliency of each weight by itself, or greedy: what it costs once cheaper ones "
        "of its block are gone (CAP); greedy wants blocks of at most 2000.",
    )  # fmt: skip
    compensation: Literal["none", "sum", "joint"] = field(
        "sum", "Compensation",
        "How survivors make up for the removed: not, by summed single-weight updates, "
        "or by the exact joint update per block, which equals one by one.",
    )  # fmt: skip
    strength: float = field(
        1.0, "Compensation strength", "Scales the correction; 1 is the full update.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _auto(cls, content: Any) -> Any:
        """`block_size: "auto"` is another way to say `auto_block: true`."""
        if isinstance(content, dict) and content.get("block_size") == "auto":
            rest = {k: v for k, v in content.items() if k != "block_size"}
            return {**rest, "auto_block": True}
        return content

    @property
    def cut(self) -> int:
        """The block size as a `Layout` takes it."""
        return self.block_size

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """The gradients; the rest depends on what the plan chooses."""
        rows = min(self.samples, train) if self.batch == 1 else self.samples
        return Work(SINGLE * rows * self.batch)

    def draws(self, problem: Problem, gradients: Rows, seed: int) -> Tensor | None:
        """Bootstrap samples, where saliencies of single weights tell what goes."""
        return None if self.order == "greedy" else problem.draws(gradients, seed)


class LayerObs(ObsEstimator):
    """Those whose blocks are cut from single layers."""

    blocks: Literal["position", "live"] = field(
        "position", "Block size counts",
        "Positions, so that blocks thin out as weights are removed, or live weights, "
        "so that every block gathers as many as it says.",
        advanced=True,
    )  # fmt: skip

    @property
    def cut(self) -> int:
        """The block size, of positions or of live weights."""
        kind = LiveWeights if self.blocks == "live" else int
        return kind(self.block_size)
