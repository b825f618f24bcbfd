"""What a dataset is: settings that find images, and the splits they become."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from engine.data.preparation import Preparation
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

    def batches(self, size: int) -> "Batches":
        """All images in order, not augmented; `len` counts the batches."""

    def pictures(self, indices: Tensor) -> Tensor | None:
        """As people see them (n, c, h, w), 0 to 1; None where inputs are no images."""

    def subset(self, indices: Tensor) -> "Split":
        """The images at these indices, sharing storage."""


@dataclass(frozen=True)
class Batches:
    """A split cut into batches of `size`, the last one smaller; iterate it again."""

    split: Split
    size: int

    def __len__(self) -> int:
        return -(-len(self.split) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for indices in torch.arange(len(self.split)).split(self.size):
            if len(indices):  # an empty split comes as one empty piece
                yield self.split.batch(indices)


@dataclass(frozen=True)
class Data:
    """Splits of one dataset; validation is carved from training, never from test.

    Validation is empty when the recipe sets `data.validation` to 0.
    """

    spec: DataSpec
    train: Split
    validation: Split
    test: Split

    @property
    def probe(self) -> tuple[Split, str]:
        """Images to try things on before the test, and the name of their split."""
        if len(self.validation):
            return self.validation, "validation"
        return self.train, "training"


class Dataset(Part):
    """Where the images come from and how they are prepared."""

    validation: float = field(
        0.1, "Validation share",
        "Part of the training images set aside to choose the best epoch.",
        ge=0.0, lt=1,
    )  # fmt: skip
    limit: int = field(
        0, "Training images",
        "At most so many training images, those set aside for validation included, "
        "every class in proportion; for when there is little data.",
        ge=0, le=1_000_000_000, special="All", unit="images", advanced=True,
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
    size: int = field(
        0, "Image size",
        "Scales the shorter side to this and cuts out the middle square.",
        ge=0, le=4096, unit="pixels", special="As the images", advanced=True,
    )  # fmt: skip
    channels: Literal[0, 1, 3] = field(
        0, "Channels",
        "1 is grey, 3 is colour, 0 takes the images as they are; a network made for "
        "colour needs 3.",
        advanced=True,
    )  # fmt: skip
    flatten: bool = field(
        False, "Flatten", "Images become vectors, for a network that wants those.",
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

        The seed draws the validation images; the test images never depend on it.

        Raises:
            InputError: The data is not there or not readable.
        """
        raise NotImplementedError

    def preparation(self, raw: tuple[int, ...], scale: float = 255.0) -> Preparation:
        """How stored images of shape `raw` become this recipe's network inputs.

        Raises:
            InputError: A setting does not fit images of this shape.
        """
        return Preparation(
            raw, scale, self.mean, self.std, self.augment, self.size, self.channels,
            self.flatten,
        )  # fmt: skip
