"""What a model source is: settings that build a network."""

from typing import Literal

from torch import nn

from engine.data.base import DataSpec
from engine.part import Part, field


class ModelSource(Part):
    """Where the network comes from, and its trained weights."""

    checkpoint: str = field(
        "", "Checkpoint", "Trained weights: a .pth, .pt or .safetensors file.",
        path="file",
    )  # fmt: skip
    partial: bool = field(
        False, "Allow a partial match",
        "Go on when the checkpoint lacks weights, which then keep their random start, "
        "or has weights that the network lacks.",
        advanced=True,
    )  # fmt: skip
    output: Literal["auto", "logits", "log_probabilities", "probabilities"] = field(
        "auto", "Network output",
        "What the network returns; auto looks at its rows on real images.",
        advanced=True,
    )  # fmt: skip

    @property
    def weights_file(self) -> str:
        """The checkpoint to load; empty when the network comes with its weights."""
        return self.checkpoint

    @property
    def trained(self) -> bool:
        """Whether `build` alone gives trained weights."""
        return False

    def build(self, spec: DataSpec, trust: frozenset[str]) -> nn.Module:
        """The network for inputs and classes of `spec`, on the CPU, no checkpoint yet.

        Args:
            spec: Input shape and classes.
            trust: SHA-256 digests of the Python files the person said they trust.

        Raises:
            InputError: It cannot be built; says why.
        """
        raise NotImplementedError
