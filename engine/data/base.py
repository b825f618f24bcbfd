"""What a dataset is: settings that find images, and the splits they become."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from engine.monitor import Monitor
from engine.part import Part, field


@dataclass(frozen=True)
class DataSpec:
    """What a network must know: input shape (c, h, w) or (features,), class names."""

    name: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]


class Split(Protocol):
    """Labelled images that come in normalised batches on the compute device."""

    labels: Tensor  # (n,) int64, on the CPU

    def __len__(self) -> int: ...

    def batch(
        self, indices: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Images (n, *shape) float32 and labels (n,); augmented if a generator comes.

        Args:
            indices: CPU int64.
            generator: CPU generator that decides the augmentation.
        """

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, not augmented; has `__len__`-able count via `count`."""

    def subset(self, indices: Tensor) -> "Split":
        """The images at these indices, sharing storage."""


@dataclass(frozen=True)
class Data:
    """Splits of one dataset; validation is carved from training, never from test."""

    spec: DataSpec
    train: Split
    validation: Split
    test: Split


class Dataset(Part):
    """Where the images come from and how they are prepared."""

    validation: float = field(
        0.1, "Validation share",
        "Part of the training images set aside to choose the best epoch.",
        ge=0.0, lt=1,
    )  # fmt: skip
    augment: Literal["none", "flip", "crop", "crop_flip"] = field(
        "none", "Augmentation",
        "Random shifts (a crop from padded images) and mirroring while fine-tuning.",
    )  # fmt: skip
    mean: tuple[float, ...] = field(
        (0.5,), "Mean", "Subtracted per channel from inputs in 0..1.", advanced=True
    )
    std: tuple[float, ...] = field(
        (0.5,), "Standard deviation", "Divides each channel after the mean.",
        advanced=True,
    )  # fmt: skip

    def describe(self) -> DataSpec:
        """Shape and classes, in well under a second; reads no image twice.

        Raises:
            InputError: The data is not there or not readable.
        """
        raise NotImplementedError

    def load(self, device: torch.device, seed: int, monitor: Monitor) -> Data:
        """All splits, ready to serve batches on `device`.

        Raises:
            InputError: The data is not there or not readable.
        """
        raise NotImplementedError
