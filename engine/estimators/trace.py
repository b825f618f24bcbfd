"""Hessian-trace pruning: one mean curvature per channel or layer."""

from typing import Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.curvature.hessian import trace_draws
from engine.estimators.base import Diagonal, Estimator
from engine.events import Traced
from engine.facts import LayerInfo, LayerTrace
from engine.gradients.moments import choose
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import Work
from engine.problem import Problem


class HessianTrace(Estimator):
    """Saliency tr(H_p) / (2 n_p) w^2 for the n_p live weights of a group p; no update.

    Yu et al., "Hessian-Aware Pruning and Optimal Neural Implant", 2022: summed over a
    group this is their tr(H_p) / (2 n_p) ||w_p||^2, spread over its weights here. The
    trace of the real Hessian comes from Hutchinson's estimator with Rademacher probes.
    Cost: a double backward pass over the images per probe, memory 2 to 3 times that of
    training on 64 of them.
    """

    model_config = ConfigDict(title="Hessian trace")
    kind: Literal["trace"] = "trace"
    images: int = field(
        512, "Images", "Training images in the Hessian; published with 512.",
        ge=1, le=10_000_000, unit="images",
    )  # fmt: skip
    draws: int = field(
        100, "Probes", "Random vectors; published with 300, fewer than 100 are noisy.",
        ge=2, le=100_000,
    )  # fmt: skip
    group: Literal["channel", "layer"] = field(
        "channel", "Group",
        "Weights that share one trace: an output channel, or a layer.",
    )  # fmt: skip

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """A pass back through a pass back for each probe."""
        return Work(2 * self.draws * min(self.images, train))

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> Diagonal:
        """Probe the Hessian of the network as it is now.

        Raises:
            RunError: There are no training images.
        """
        with monitor.phase("curvature"):
            order = choose(problem, self.images, seed, monitor)
            draws = trace_draws(
                problem, order, problem.fetch(), self.draws, seed, masks, monitor
            )
            if self.group == "layer":
                draws = {name: each.sum(1, True) for name, each in draws.items()}
            _tell(draws, monitor)
        return Diagonal({n: spread(each, masks[n]) for n, each in draws.items()})


def spread(draws: Tensor, mask: Tensor) -> Tensor:
    """Mean curvature |trace| / n of its group for each weight (numel,).

    Args:
        draws: Estimates of the trace (draws, groups).
        mask: Live weights, the groups along its first dimension.
    """
    groups = draws.shape[1]
    live = mask.reshape(groups, -1).sum(1).clamp_min(1)
    each = draws.mean(0).abs() / live
    return each.repeat_interleave(mask.numel() // groups)


def standard_error(draws: Tensor) -> Tensor:
    """Of the mean over the draws (draws, ...)."""
    return draws.std(0) / len(draws) ** 0.5


def _tell(draws: dict[str, Tensor], monitor: Monitor) -> None:
    layers = tuple(_fact(name, each) for name, each in draws.items())
    monitor.emit(Traced(layers))
    least = max(layers, key=lambda each: each.error / max(abs(each.trace), 1e-300))
    every = torch.cat(list(draws.values()), 1)
    means, total = every.mean(0), every.sum(1)
    unsure = int((means.abs() < standard_error(every)).sum())
    monitor.notice(
        f"The Hessian's trace is {float(total.mean()):.3g} +- "
        f"{float(standard_error(total)):.1g} (standard error); {unsure} of "
        f"{len(means)} groups are within one standard error of zero. Least sure is "
        f"{least.name}: {least.trace:.3g} +- {least.error:.1g}.",
        level="info",
    )
    negative = int((means < 0).sum())
    if negative:
        monitor.notice(
            f"{negative} of {len(means)} groups have a negative trace; its size was "
            "taken.",
            "More probes or images settle those that are noise.",
        )


def _fact(name: str, draws: Tensor) -> LayerTrace:
    whole = draws.sum(1)
    return LayerTrace(
        name,
        float(whole.mean()),
        float(standard_error(whole)),
        tuple(draws.mean(0).tolist()),
        tuple(standard_error(draws).tolist()),
    )
