"""PyTorch's own checkpoint format: a bare state dict."""

import io
from pathlib import Path

import torch
from torch import Tensor

from engine.exporters.base import Exporter


class Pth(Exporter):
    """A `.pth` that `torch.load(..., weights_only=True)` reads."""

    kind = "pth"
    title = "PyTorch state dict (.pth)"
    suffix = ".pth"

    @staticmethod
    def encode(weights: dict[str, Tensor]) -> bytes:
        """See `Exporter`."""
        buffer = io.BytesIO()
        torch.save(weights, buffer)
        return buffer.getvalue()

    @staticmethod
    def decode(path: Path) -> dict[str, Tensor]:
        """See `Exporter`."""
        return torch.load(path, map_location="cpu", weights_only=True)
