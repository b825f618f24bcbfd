"""M-FAC's setting: the Fisher of the whole network as one block, or blocks of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.curvature.base import Removal
from engine.curvature.block_fishers import block_fishers
from engine.curvature.groups import Best
from engine.curvature.obs import ObsCurvature
from engine.errors import RunError
from engine.estimators.base import ObsEstimator, Tensors
from engine.facts import LayerCurvature
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.problem import Problem

WHOLE = "the network"


class MFAC(ObsEstimator):
    """Optimal Brain Surgeon on all live weights as one vector.

    Frantar, Kurtic and Alistarh, "M-FAC: Efficient Matrix-Free Approximation of
    Second-Order Information", 2021 (static algorithm). Their recursion over N gradients
    and the closed form used here give the same numbers; one N x N system serves the
    whole network, so layers make up for each other. A block size cuts the vector of
    live weights into neighbours that may belong to two layers, as theirs do. Cost: time
    O(N^2 d), memory 4 N d bytes.
    """

    model_config = ConfigDict(title="M-FAC (whole network)")
    joins_layers: ClassVar[bool] = True
    kind: Literal["mfac"] = "mfac"
    samples: int = field(
        400, "Gradients (N)",
        "Outer products in the empirical Fisher; M-FAC's example takes 64 for ResNet-20"
        ", its ImageNet runs about 1000.", ge=1, le=100_000,
    )  # fmt: skip
    batch: int = field(
        1, "Images per gradient (b)",
        "Images averaged inside each gradient; M-FAC averages 32, 1 is the true "
        "per-sample Fisher.", ge=1, le=4096,
    )  # fmt: skip
    block_size: int = field(
        0, "Block size",
        "Neighbouring live weights, layers joined, that share one inverse; M-FAC's "
        "blocks are 128 to 2000 where it has any.",
        ge=0, le=100_000_000, special="Whole network", unit="weights",
    )  # fmt: skip

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> "NetworkCurvature":
        """Draw gradients of the network as it is now and factor its Fisher.

        Raises:
            RunError: There are no images, or gradients are not finite.
        """
        with monitor.phase("gradients"):
            rows = problem.gradients(
                self.samples, self.batch, seed, masks, monitor, self.fisher
            )
        with monitor.phase("curvature"):
            joined = {WHOLE: join(rows, masks)}
            live = {WHOLE: torch.ones_like(joined[WHOLE][0], dtype=torch.bool)}
            draws = self.draws(problem, joined, seed)
            inverses = block_fishers(
                joined, live, self.block_size, self.damping, monitor, draws
            )
        whole = ObsCurvature(
            inverses, self.compensation, self.strength, None, self.order, monitor
        )
        return NetworkCurvature(whole, masks)


class NetworkCurvature:
    """A curvature of one vector, the live weights of all layers, asked by layer.

    Args:
        curvature: Of the vector, under the name `WHOLE`.
        masks: True = live; layers follow each other in this order.
    """

    def __init__(self, curvature: ObsCurvature, masks: Masks) -> None:
        self._curvature = curvature
        self._live = dict(masks)

    def facts(self) -> tuple[LayerCurvature, ...]:
        """Of the vector as one layer."""
        return self._curvature.facts()

    def resampled(self, weights: Tensors) -> Iterator[Tensors]:
        """Saliencies by each bootstrap sample of the gradients."""
        for scores in self._curvature.resampled(self._join(weights)):
            yield self._split(scores)

    def scores(self, weights: Tensors) -> Tensors:
        """Saliencies in loss units, float64; 0 for weights that are zero already."""
        return self._split(self._curvature.scores(self._join(weights)))

    def cheapest(self, weights: Tensors, groups: Tensors, taken: Tensor) -> Best:
        """The exact joint loss of each subset, others compensating for it alone."""
        losses, chosen = self._curvature.cheapest(
            self._join(weights), self._placed(groups), taken
        )[WHOLE]
        sizes = [len(groups[name]) for name in self._live]
        parts = zip(losses.split(sizes), chosen.split(sizes), strict=True)
        return dict(zip(self._live, parts, strict=True))

    def removal(
        self, weights: Tensors, removed: Masks, sets: Tensors | None = None
    ) -> Removal:
        """The vector's correction taken apart; its losses, which layers share."""
        whole = self._curvature.removal(
            self._join(weights), self._join(removed), self._placed(sets)
        )
        return replace(whole, corrections=self._split(whole.corrections), layers={})

    def _placed(self, groups: Tensors | None) -> Tensors | None:
        """Positions in each layer to positions in the vector; its length is nobody."""
        if groups is None:
            return None
        total = sum(int(live.sum()) for live in self._live.values())
        placed, start = [], 0
        for name, live in self._live.items():
            count = int(live.sum())
            place = groups[name].new_full((live.numel() + 1,), total)
            place[:-1][live.reshape(-1)] = torch.arange(
                start, start + count, device=place.device
            )
            placed.append(place[groups[name]])
            start += count
        return {WHOLE: torch.cat(placed)}

    def _join(self, values: Tensors) -> Tensors:
        parts = [values[name].detach()[live] for name, live in self._live.items()]
        return {WHOLE: torch.cat(parts)}

    def _split(self, joined: Tensors) -> Tensors:
        sizes = [int(live.sum()) for live in self._live.values()]
        parts = joined[WHOLE].split(sizes)
        found = {}
        for (name, live), part in zip(self._live.items(), parts, strict=True):
            found[name] = part.new_zeros(live.shape)
            found[name][live] = part
        return found


def join(rows: Tensors, masks: Masks) -> Tensor:
    """Gradients (N, live weights of all layers in the masks' order).

    Takes each layer's rows out of `rows` when they are copied, to save memory.

    Raises:
        RunError: Another process holds the gradients of some layers.
    """
    if rows.keys() != masks.keys():
        raise RunError(
            "M-FAC needs the gradients of all layers in one process.",
            "Run with a single process, or choose WoodFisher.",
        )
    live = {name: mask.reshape(-1) for name, mask in masks.items()}
    first = next(iter(rows.values()))
    total = sum(int(mask.sum()) for mask in live.values())
    joined, start = first.new_empty(len(first), total), 0
    del first
    for name, mask in live.items():
        part = rows.pop(name)
        part = part if bool(mask.all()) else part[:, mask]
        joined[:, start : start + part.shape[1]] = part
        start += part.shape[1]
    return joined
