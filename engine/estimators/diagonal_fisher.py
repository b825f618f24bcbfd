"""Diagonal Fisher pruning: the second order without any interaction of weights."""

from typing import Literal

from pydantic import ConfigDict
from torch import Tensor

from engine.estimators.base import Estimator, Tensors, Uncompensated
from engine.masks import Masks
from engine.moments import mean_squares
from engine.monitor import Monitor
from engine.part import field
from engine.problem import Fisher, Problem


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

    def predicted(self, weights: Tensors, removed: Masks) -> tuple[float, float]:
        """Weights do not interact: joint and single removals cost the same."""
        scores = self.scores(weights)
        total = sum(float(each[removed[name]].sum()) for name, each in scores.items())
        return total, total


class DiagonalFisher(Estimator):
    """Saliency 1/2 w^2 F_qq with F_qq = 1/N sum g_q^2 over single images; no update.

    Optimal Brain Damage (LeCun et al., 1990) with the empirical Fisher in place of the
    Hessian, as Theis et al., "Faster gaze prediction with dense networks and Fisher
    pruning", 2018. No damping and nothing added, so ranks stay apart however small the
    gradients are. Cost: N single-image gradients, streamed; memory 8 d bytes beside a
    few rows.
    """

    model_config = ConfigDict(title="Diagonal Fisher")
    kind: Literal["diagonal_fisher"] = "diagonal_fisher"
    images: int = field(
        2000, "Images",
        "Training images, one gradient each; WoodFisher's comparison took 4096.",
        ge=1, le=10_000_000, unit="images",
    )  # fmt: skip
    fisher: Fisher = field(
        "empirical", "Fisher",
        "Labels of the gradients: the data's (empirical), or drawn from the network's "
        "softmax (true).", advanced=True,
    )  # fmt: skip

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> Diagonal:
        """Average squared gradients of the network as it is now.

        Raises:
            RunError: There are no training images.
        """
        with monitor.phase("gradients"):
            squares = mean_squares(
                problem, self.images, seed, masks, monitor, self.fisher
            )
        return Diagonal(squares)
