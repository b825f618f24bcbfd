"""First-order Taylor pruning: what removal costs along the gradient."""

from typing import Literal

from pydantic import ConfigDict
from torch import Tensor

from engine.curvature.base import Losses
from engine.estimators.base import Estimator, Tensors, Uncompensated
from engine.facts import LayerInfo
from engine.gradients.moments import mean_gradient
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import Work
from engine.problem import Problem


class Slope(Uncompensated):
    """Saliency |w g| for a loss that is linear in the weights.

    Args:
        gradient: Of the mean loss, (numel,) float64 per layer.
    """

    def __init__(self, gradient: dict[str, Tensor]) -> None:
        self._gradient = gradient

    def scores(self, weights: Tensors) -> Tensors:
        """|w g| in float64."""
        return {name: self._signed(name, w).abs() for name, w in weights.items()}

    def _losses(self, weights: Tensors, removed: Masks) -> Losses:
        """The sum of |w g|, and the sum of -w g where signs may cancel."""
        gone = {n: self._signed(n, w)[removed[n]] for n, w in weights.items()}
        return {
            name: (float(part.abs().sum()), -float(part.sum()))
            for name, part in gone.items()
        }

    def _signed(self, name: str, weight: Tensor) -> Tensor:
        return weight.detach().double() * self._gradient[name].reshape(weight.shape)


class Taylor(Estimator):
    """First-order Taylor saliency |w g|, g the gradient of the mean loss; no update.

    Molchanov et al., "Importance Estimation for Neural Network Pruning", 2019, square
    w g for each weight and its gate; the size ranks alike and is a loss. Averaging
    comes before the size is taken: where training has converged, g and with it the
    saliency vanish. Cost: one backward pass over the images, memory 8 d bytes.
    """

    model_config = ConfigDict(title="Taylor, first order")
    kind: Literal["taylor"] = "taylor"
    images: int = field(
        2000, "Images", "Training images in the mean gradient; more is less noisy.",
        ge=1, le=10_000_000, unit="images",
    )  # fmt: skip

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """Ordinary passes."""
        return Work(min(self.images, train))

    def fit(self, problem: Problem, masks: Masks, monitor: Monitor, seed: int) -> Slope:
        """Average the gradient of the network as it is now.

        Raises:
            RunError: There are no training images.
        """
        with monitor.phase("gradients"):
            return Slope(mean_gradient(problem, self.images, seed, masks, monitor))
