"""A classification network of torchvision by name."""

from typing import Literal

from pydantic import ConfigDict

from engine.models.base import ModelSource


class Torchvision(ModelSource):
    """A classification network of torchvision by name."""

    model_config = ConfigDict(title="torchvision")
    kind: Literal["torchvision"] = "torchvision"
