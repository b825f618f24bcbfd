"""Random pruning: the control that every method has to beat."""

from typing import Literal

import torch
from pydantic import ConfigDict

from engine.estimators.base import Estimator, Tensors, Uncompensated
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Problem
from engine.seeds import generator


class Lots(Uncompensated):
    """Saliencies drawn evenly from 0 to 1; the same ones each time it is asked."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def scores(self, weights: Tensors) -> Tensors:
        """Float64 draws from a generator per layer, the same on every device."""
        return {
            name: torch.rand(
                weight.shape,
                generator=generator(self._seed, name),
                dtype=torch.float64,
            ).to(weight.device)
            for name, weight in weights.items()
        }


class Random(Estimator):
    """Every weight may go alike; no data, no compensation. Cost O(d)."""

    model_config = ConfigDict(title="Random")
    kind: Literal["random"] = "random"

    def fit(self, problem: Problem, masks: Masks, monitor: Monitor, seed: int) -> Lots:
        """Nothing to look at: the seed decides."""
        return Lots(seed)
