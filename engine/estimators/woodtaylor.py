"""WoodTaylor: WoodFisher that also follows the gradient that is left."""

from typing import Literal

import torch
from pydantic import ConfigDict

from engine.estimators.base import ObsEstimator, Tensors
from engine.facts import LayerInfo
from engine.masks import Masks
from engine.moments import mean_gradient
from engine.monitor import Monitor
from engine.obs import Inverse, ObsCurvature, block_fishers
from engine.part import field
from engine.problem import Problem
from engine.processes import ALONE, Ranks
from engine.work import Work

SEPARATE = 2**20  # moves the seed of the mean gradient's images from the Fisher's


class WoodTaylor(ObsEstimator):
    """Optimal Brain Surgeon around a point that is no minimum.

    Singh and Alistarh, "WoodFisher", 2020, section on WoodTaylor: a Newton step
    -F^-1 g, then Optimal Brain Surgeon at the moved point, saliency
    (w - F^-1 g)^2 / (2 diag F^-1). The constant 1/2 g^T F^-1 g of their formula is left
    out, because one per layer would spoil the ranking across layers. A Newton step that
    is long beside the weights is shortened, which is to trust a share of g. Cost:
    WoodFisher and one ordinary backward pass over the gradient's own images.
    """

    model_config = ConfigDict(title="WoodTaylor")
    kind: Literal["woodtaylor"] = "woodtaylor"
    damping: float = field(
        1e-1, "Damping",
        "Added to the Fisher's diagonal; WoodTaylor was published with 0.1 and 8000 "
        "gradients: the Newton step needs more than WoodFisher's 1e-5.",
        gt=0, le=1e6,
    )  # fmt: skip
    gradient_images: int = field(
        4000, "Images of the mean gradient",
        "A mean needs more images than the Fisher: at least N times b.",
        ge=0, le=10_000_000, special="Those of the Fisher", unit="images",
    )  # fmt: skip
    longest_step: float = field(
        0.1, "Longest Newton step",
        "Relative to the norm of the weights; a longer step is shortened to it.",
        ge=0, le=10,
    )  # fmt: skip

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """Those gradients, and the mean one."""
        mean = self.gradient_images or self.samples * self.batch
        return super().work(layers, train) + Work(min(mean, train))

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> ObsCurvature:
        """Draw gradients of the network as it is now, factor its Fisher, cap the step.

        Raises:
            RunError: There are no images, or gradients are not finite.
        """
        with monitor.phase("gradients"):
            rows = problem.gradients(
                self.samples, self.batch, seed, masks, monitor, self.fisher
            )
            own, drawn = self.gradient_images, self.samples * self.batch
            slope = mean_gradient(
                problem, own or drawn, seed + SEPARATE * bool(own), masks, monitor
            )
        with monitor.phase("curvature"):
            with monitor.apart():
                draws = self.draws(problem, rows, seed)
                inverses = block_fishers(
                    rows, masks, self.block_size, self.damping, monitor, draws
                )
            slope = shortened(
                inverses,
                slope,
                problem.weights(),
                self.longest_step,
                monitor,
                problem.ranks,
            )
        return ObsCurvature(
            inverses, self.compensation, self.strength, slope, self.order, monitor
        )


def shortened(
    inverses: dict[str, Inverse],
    slope: Tensors,
    weights: Tensors,
    limit: float,
    monitor: Monitor,
    ranks: Ranks = ALONE,
) -> Tensors:
    """The gradient, scaled down until ||F^-1 g|| <= limit ||w|| over all layers.

    Args:
        inverses: One per layer that this process owns.
        slope: Mean gradient (numel,) float64 per layer.
        weights: As they are now.
        limit: Longest Newton step relative to the weights.
        monitor: Hears how long the step is, and of a cap.
        ranks: The processes that own the layers.
    """
    squares = torch.zeros(2, dtype=torch.float64)  # of the step and of the weights
    for name, inverse in inverses.items():
        step, size = inverse.solve(slope[name]), weights[name].double()
        squares += torch.stack([step.square().sum(), size.square().sum()]).cpu()
    step, size = ranks.sum(squares).sqrt().tolist()
    length = step / max(size, 1e-300)
    told = f"The Newton step is {length:.2g} times as long as the weights"
    if length <= limit:
        monitor.notice(f"{told}.", level="info")
        return {name: slope[name] for name in inverses}
    monitor.notice(
        f"{told}; it was shortened to {limit:g} times.",
        "Raise the damping, or the images of the mean gradient.",
    )
    return {name: slope[name] * (limit / length) for name in inverses}
