"""Safetensors: plain tensors, no code."""

from pathlib import Path

from safetensors.torch import load_file, save
from torch import Tensor

from engine.exporters.base import Exporter


class Safetensors(Exporter):
    """A `.safetensors` file."""

    kind = "safetensors"
    title = "Safetensors (.safetensors)"
    suffix = ".safetensors"

    @staticmethod
    def encode(weights: dict[str, Tensor]) -> bytes:
        """See `Exporter`; tied weights get storage of their own."""
        return save({name: weight.clone() for name, weight in weights.items()})

    @staticmethod
    def decode(path: Path) -> dict[str, Tensor]:
        """See `Exporter`."""
        return load_file(path)
