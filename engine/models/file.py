"""A network from a function in your own Python file."""

from typing import Literal

from pydantic import ConfigDict

from engine.models.base import ModelSource


class File(ModelSource):
    """A network from a function in your own Python file."""

    model_config = ConfigDict(title="Python file")
    kind: Literal["file"] = "file"
