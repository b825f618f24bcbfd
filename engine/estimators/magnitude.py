"""Magnitude pruning: the small weights go."""

from typing import Literal

from pydantic import ConfigDict

from engine.estimators.base import Estimator, Tensors, Uncompensated
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Problem


class Size(Uncompensated):
    """Saliency |w|; survivors stay as they are and no loss is predicted."""

    def scores(self, weights: Tensors) -> Tensors:
        """|w| in float64."""
        return {name: weight.double().abs() for name, weight in weights.items()}


class Magnitude(Estimator):
    """Saliency |w|; no data, no compensation. Cost O(d)."""

    model_config = ConfigDict(title="Magnitude")
    kind: Literal["magnitude"] = "magnitude"

    def fit(self, problem: Problem, masks: Masks, monitor: Monitor, seed: int) -> Size:
        """Nothing to look at: the weights say it all."""
        return Size()
