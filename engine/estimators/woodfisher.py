"""WoodFisher: Optimal Brain Surgeon with a block inverse of the empirical Fisher."""

from typing import Literal

from pydantic import ConfigDict

from engine.estimators.base import ObsEstimator


class WoodFisher(ObsEstimator):
    """Block empirical Fisher inverse by the Woodbury identity."""

    model_config = ConfigDict(title="WoodFisher")
    kind: Literal["woodfisher"] = "woodfisher"
