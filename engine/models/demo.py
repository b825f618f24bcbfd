"""A small residual network for the digits, trained and shipped."""

from typing import Literal

from pydantic import ConfigDict

from engine.models.base import ModelSource


class Demo(ModelSource):
    """A small residual network for the digits, trained and shipped."""

    model_config = ConfigDict(title="Demo network")
    kind: Literal["demo"] = "demo"
