"""The same sparsity in every layer: the independent setting of the papers."""

from typing import Literal

from pydantic import ConfigDict

from engine.allocation.base import Allocation


class Uniform(Allocation):
    """Every layer reaches the sparsity by itself."""

    model_config = ConfigDict(title="Uniform")
    kind: Literal["uniform"] = "uniform"
