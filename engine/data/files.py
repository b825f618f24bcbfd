"""FileSplit: images that are too many for memory, decoded when they are served."""

from pathlib import Path

import torch
from torch import Tensor

from engine.data.base import Batches
from engine.data.decoding import Decoder
from engine.data.preparation import Preparation


class FileSplit:
    """Image files, decoded a batch at a time by a few threads.

    Args:
        paths: Of the n images.
        labels: (n,) int64, on the CPU.
        decoder: Makes pixels of a file; a broken one raises InputError.
        preparation: Makes network inputs of pixels.
        device: Where the batches go.
    """

    def __init__(
        self,
        paths: list[Path],
        labels: Tensor,
        decoder: Decoder,
        preparation: Preparation,
        device: torch.device,
    ) -> None:
        self._paths = paths
        self._decoder = decoder
        self._preparation = preparation
        self._device = device
        self.labels = labels

    def __len__(self) -> int:
        return len(self._paths)

    def batch(
        self, indices: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Images (n, *shape) float32 and labels (n,) on the compute device."""
        images = self._decoder.decode([self._paths[i] for i in indices.tolist()])
        inputs = self._preparation(images.to(self._device), generator)
        return inputs, self.labels[indices].to(self._device)

    def batches(self, size: int) -> Batches:
        """All images in order, not augmented."""
        return Batches(self, size)

    def pictures(self, indices: Tensor) -> Tensor | None:
        """Inputs before they were normalised; None of vectors."""
        return self._preparation.undone(self.batch(indices)[0])

    def subset(self, indices: Tensor) -> "FileSplit":
        """The images at these indices."""
        return FileSplit(
            [self._paths[i] for i in indices.tolist()], self.labels[indices],
            self._decoder, self._preparation, self._device,
        )  # fmt: skip
