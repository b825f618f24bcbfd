"""Diagonal Fisher pruning: the second order without any interaction of weights."""

from typing import Literal

from pydantic import ConfigDict

from engine.estimators.base import Diagonal, Estimator
from engine.facts import LayerInfo
from engine.gradients.moments import mean_squares
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import SINGLE, Work
from engine.problem import Fisher, Problem


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

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """Single gradients."""
        return Work(SINGLE * min(self.images, train))

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
