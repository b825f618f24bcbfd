"""WoodFisher: Optimal Brain Surgeon with a block inverse of the empirical Fisher."""

from typing import ClassVar, Literal

from pydantic import ConfigDict

from engine.curvature.block_fishers import block_fishers
from engine.curvature.obs import ObsCurvature
from engine.estimators.base import LayerObs
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Problem


class WoodFisher(LayerObs):
    """Block empirical Fisher inverse by the Woodbury identity.

    Singh and Alistarh, "WoodFisher: Efficient Second-Order Approximation for Neural
    Network Compression", 2020: F = damping I + 1/N sum g g^T over gradients of b images
    each, in blocks of c neighbouring weights. The closed form replaces the recursion:
    time O(N d min(N, c)), memory 4 N d bytes for the gradients and 8 min(N, c)^2 per
    block.
    """

    model_config = ConfigDict(title="WoodFisher")
    fits_apart: ClassVar[bool] = True
    kind: Literal["woodfisher"] = "woodfisher"

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> ObsCurvature:
        """Draw gradients of the network as it is now and factor its Fisher.

        Raises:
            RunError: There are no images, or gradients are not finite.
        """
        with monitor.phase("gradients"):
            gradients = problem.gradients(
                self.samples, self.batch, seed, masks, monitor, self.fisher
            )
        with monitor.phase("curvature"), monitor.apart():
            draws = self.draws(problem, gradients, seed)
            inverses = block_fishers(
                gradients, masks, self.cut, self.damping, monitor, draws
            )
        return ObsCurvature(
            inverses, self.compensation, self.strength, None, self.order, monitor
        )
