"""WoodTaylor: WoodFisher that also follows the gradient that is left."""

from collections.abc import Iterable
from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.curvature.block_fishers import block_fishers
from engine.curvature.descent import best_share
from engine.curvature.obs import ObsCurvature
from engine.estimators.base import LayerObs, Tensors
from engine.facts import LayerInfo
from engine.gradients.moments import mean_gradient
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import Work
from engine.problem import Problem, draw

LOOKS = 8  # at the loss along the step, about
MEASURED = 1000  # other images, if there are, that tell how far to follow it
SEPARATE = 2**20  # moves the seed of the mean gradient's images from the Fisher's


class WoodTaylor(LayerObs):
    """Optimal Brain Surgeon around a point that is no minimum.

    Singh and Alistarh, "WoodFisher", 2020, section on WoodTaylor: a Newton step
    -F^-1 g, then Optimal Brain Surgeon at the moved point, saliency
    (w - F^-1 g)^2 / (2 diag F^-1). The constant 1/2 g^T F^-1 g of their formula is left
    out, because one per layer would spoil the ranking across layers. A Newton step that
    is long beside the weights is shortened, which is to trust a share of g, also in the
    predicted losses. N gradients tell nothing of most directions, where the step is
    g / damping however much the loss bends: so it is followed only as far as the
    measured loss falls. Cost: WoodFisher, one ordinary backward pass over the
    gradient's own images, some passes forward.
    """

    model_config = ConfigDict(title="WoodTaylor")
    newton_solves: ClassVar[int] = 2  # to measure it, and to prune from there
    newton_bytes: ClassVar[int] = 20  # in float64 twice, and the weights before it
    kind: Literal["woodtaylor"] = "woodtaylor"
    damping: float = field(
        1e-5, "Damping",
        "Added to the Fisher's diagonal. WoodTaylor was published with 0.1, for steps "
        "that are not measured; those are as WoodFisher's.",
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
    measured: bool = field(
        True, "Measure the Newton step",
        "Halve the step as long as that lowers the loss, measured on other training "
        "images as far as there are.",
    )  # fmt: skip

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """Those gradients, the mean one, and forward passes, each a third of a pass."""
        mean = self.gradient_images or self.samples * self.batch
        measured = LOOKS / 3 * min(MEASURED, train) if self.measured else 0
        return super().work(layers, train) + Work(min(mean, train) + measured)

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> ObsCurvature:
        """Draw gradients of the network as it is now, factor its Fisher, cap the step.

        Raises:
            RunError: There are no images, or gradients are not finite.
        """
        images = self.gradient_images or self.samples * self.batch
        own = seed + SEPARATE * bool(self.gradient_images)
        with monitor.phase("gradients"):
            rows = problem.gradients(
                self.samples, self.batch, seed, masks, monitor, self.fisher
            )
            slope = mean_gradient(problem, images, own, masks, monitor)
        with monitor.phase("curvature"):
            with monitor.apart():
                draws = self.draws(problem, rows, seed)
                inverses = block_fishers(
                    rows, masks, self.cut, self.damping, monitor, draws
                )
                step = {n: -each.solve(slope[n]) for n, each in inverses.items()}
            there = len(problem.train)  # the mean gradient's come first of the order
            order = draw(there, min(images + MEASURED, there), 1, own, monitor)
            few = order[-MEASURED:].reshape(-1)
            share = self._share(problem, everywhere(problem, step), few, monitor)
        slope = {name: slope[name] * share for name in inverses}
        return ObsCurvature(
            inverses, self.compensation, self.strength, slope, self.order, monitor
        )

    def _share(
        self, problem: Problem, step: Tensors, images: Tensor, monitor: Monitor
    ) -> float:
        """Of the Newton step: no longer than allowed, and measured; both are told."""
        sizes = [_norm(each.values()) for each in (step, problem.weights())]
        length = sizes[0] / max(sizes[1], 1e-300)
        most = min(1.0, self.longest_step / max(length, 1e-300))
        told = f"The Newton step is {length:.2g} times as long as the weights"
        if most < 1:
            told += f"; it was shortened to {self.longest_step:g} times"
        if not self.measured or not most:
            hint = "Raise the damping, or the images of the mean gradient."
            level = "warning" if most < 1 else "info"
            monitor.notice(f"{told}.", hint if most < 1 else "", level)
            return most
        share, before, after = best_share(problem, step, most, images, monitor)
        if not share:
            monitor.notice(
                f"{told}; no part of it lowers the measured loss, so none is taken.",
                "Raise the damping, or choose WoodFisher.",
            )
            return 0.0
        monitor.notice(
            f"{told}; {share * length:.2g} times are taken, where the measured loss is "
            f"{after:.3g} instead of {before:.3g}.",
            level="info",
        )
        return share


def everywhere(problem: Problem, own: Tensors) -> Tensors:
    """What the holder of each layer has of it (numel,) float64, in every process."""
    held = problem.holders()
    return {
        name: problem.ranks.send(
            own.get(name, weight.new_zeros(weight.numel(), dtype=torch.float64)),
            held[name],
        )
        for name, weight in problem.weights().items()
    }


def _norm(parts: Iterable[Tensor]) -> float:
    return sum(float(part.double().square().sum()) for part in parts) ** 0.5
