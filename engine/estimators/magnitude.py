"""Magnitude pruning: the small weights go."""

from typing import Literal

from pydantic import ConfigDict

from engine.estimators.base import Estimator


class Magnitude(Estimator):
    """Saliency |w|; no data, no compensation."""

    model_config = ConfigDict(title="Magnitude")
    kind: Literal["magnitude"] = "magnitude"
