"""MemorySplit: images held as they are stored, on the compute device."""

import torch
from torch import Tensor

from engine.data.base import Batches
from engine.data.preparation import Preparation


class MemorySplit:
    """Images in memory, prepared in whole batches where the network computes.

    Args:
        images: (n, *raw), uint8 or float32, on the compute device.
        labels: (n,) int64, on the CPU.
        preparation: Makes network inputs of them.
        members: Indices of the images that belong to this split; None is all.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        preparation: Preparation,
        members: Tensor | None = None,
    ) -> None:
        self._images = images
        self._all_labels = labels
        self._preparation = preparation
        self._members = torch.arange(len(labels)) if members is None else members
        self.labels = labels[self._members]

    def __len__(self) -> int:
        return len(self._members)

    def batch(
        self, indices: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Images (n, *shape) float32 and labels (n,) on the compute device."""
        device = self._images.device
        images = self._images[self._members[indices].to(device)]
        inputs = self._preparation(images, generator)
        return inputs, self.labels[indices].to(device)

    def batches(self, size: int) -> Batches:
        """All images in order, not augmented."""
        return Batches(self, size)

    def pictures(self, indices: Tensor) -> Tensor | None:
        """Inputs before they were normalised; None of vectors."""
        return self._preparation.undone(self.batch(indices)[0])

    def subset(self, indices: Tensor) -> "MemorySplit":
        """The images at these indices, sharing storage."""
        members = self._members[indices]
        return MemorySplit(self._images, self._all_labels, self._preparation, members)
