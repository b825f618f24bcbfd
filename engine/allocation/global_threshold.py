"""One threshold for all layers: the joint setting of the papers."""

from typing import Literal

from pydantic import ConfigDict

from engine.allocation.base import Allocation


class GlobalThreshold(Allocation):
    """The lowest saliencies of the whole network go."""

    model_config = ConfigDict(title="Global threshold")
    kind: Literal["global"] = "global"
