"""Preparation: raw images become normalised batches, augmented a batch at a time."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError

ROUNDING = 1e-4  # that normalising and undoing it may leave
PADDING = 8  # a crop shifts by up to an eighth of the image, as 4 pixels of 32


@dataclass(frozen=True)
class Preparation:
    """What happens to raw images on their way into the network.

    Attributes:
        raw: Shape of one stored image, (c, h, w), or (features,).
        scale: The stored value that becomes 1 before normalisation.
        mean: Subtracted; one value, or one per channel.
        std: Divides; one value, or one per channel.
        augment: Applied only when a generator comes along.
        size: Height and width to resize to; 0 leaves the images alone.
        channels: 3 repeats a grey channel; 0 leaves the images alone.
        flatten: Images become vectors.

    Raises:
        InputError: The settings do not fit images of this shape.
    """

    raw: tuple[int, ...]
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: Literal["none", "flip", "crop", "crop_flip"] = "none"
    size: int = 0
    channels: int = 0
    flatten: bool = False

    def __post_init__(self) -> None:
        if len(self.raw) == 1:
            self._check_vectors()
        elif self.channels not in (0, self.raw[0]) and self.raw[0] != 1:
            raise InputError(
                f"Images of {self.raw[0]} channels cannot become {self.channels}.",
                "Set data.channels to 0; only grey images can be repeated into 3.",
            )
        self._check_normalisation("mean", self.mean)
        self._check_normalisation("std", self.std)
        if min(self.std) <= 0:
            raise InputError(
                "data.std must be positive: it divides the inputs.",
                "Set data.std to the spread of the inputs; 1 leaves them as they are.",
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input of the network."""
        return (math.prod(self._image),) if self.flatten else self._image

    def __call__(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        """Network inputs (n, *shape), float32, for raw images (n, *raw).

        Args:
            images: uint8 or float32, on any device.
            generator: On the CPU; decides the augmentation, None leaves it out.
        """
        if generator is not None and self.augment != "none":
            images = augmented(images, self.augment, generator)
        inputs = images.to(torch.float32, copy=True).div_(self.scale)
        if self.channels > inputs.shape[1] and inputs.ndim == 4:
            inputs = inputs.repeat(1, self.channels, 1, 1)
        if self.size:
            inputs = resized(inputs, self.size)
        inputs.sub_(self._per_channel(self.mean, inputs))
        inputs.div_(self._per_channel(self.std, inputs))
        return inputs.flatten(1) if self.flatten else inputs

    def undone(self, inputs: Tensor) -> Tensor | None:
        """Images (n, c, h, w) from 0 to 1 for network inputs; None where raw are none.

        Values that were no shares of a scale are stretched from the least to the most
        of each image.
        """
        if len(self.raw) == 1:
            return None
        images = inputs.reshape(-1, *self._image)
        images = images * self._per_channel(self.std, images)
        images = images + self._per_channel(self.mean, images)
        low, high = images.amin((1, 2, 3)), images.amax((1, 2, 3))
        inside = (low >= -ROUNDING) & (high <= 1 + ROUNDING)
        low = torch.where(inside, 0.0, low)[:, None, None, None]
        high = torch.where(inside, 1.0, high)[:, None, None, None]
        return ((images - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)

    @property
    def _image(self) -> tuple[int, ...]:
        if len(self.raw) == 1:
            return self.raw
        _, height, width = self.raw
        if self.size:
            height = width = self.size
        return (self.channels or self.raw[0], height, width)

    def _per_channel(self, values: tuple[float, ...], inputs: Tensor) -> Tensor:
        ones = (1,) * (inputs.ndim - 2)
        return torch.tensor(values, device=inputs.device).reshape(1, -1, *ones)

    def _check_normalisation(self, name: str, values: tuple[float, ...]) -> None:
        channels = self._image[0]
        if len(values) not in (1, channels):
            of = "features" if len(self.raw) == 1 else "channels"
            count = "one value" if channels == 1 else f"one value or {channels}"
            raise InputError(
                f"data.{name} has {len(values)} values, the inputs have "
                f"{channels} {of}.",
                f"Give data.{name} {count}.",
            )

    def _check_vectors(self) -> None:
        defaults = {"augment": "none", "size": 0, "channels": 0}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                raise InputError(
                    f"data.{name} needs images, and these inputs are plain vectors.",
                    f"Set data.{name} to {default}.",
                )


def augmented(
    images: Tensor,
    kind: Literal["flip", "crop", "crop_flip"],
    generator: torch.Generator,
) -> Tensor:
    """Images (n, c, h, w), each shifted in a black border and mirrored by chance."""
    count, _, height, width = images.shape
    device = images.device
    if "crop" in kind:
        pad = max(1, round(min(height, width) / PADDING))
        shifts = torch.randint(0, 2 * pad + 1, (2, count), generator=generator)
        down, right = shifts.to(device)
        windows = functional.pad(images, (pad, pad, pad, pad))
        windows = windows.unfold(2, height, 1).unfold(3, width, 1)
        images = windows[torch.arange(count, device=device), :, down, right]
    if "flip" in kind:
        mirrored = torch.rand(count, generator=generator) < 0.5
        mirrored = mirrored.to(device)[:, None, None, None]
        images = torch.where(mirrored, images.flip(-1), images)
    return images


def resized(images: Tensor, size: int) -> Tensor:
    """The shorter side scaled to `size`, the middle cut out: (n, c, size, size)."""
    height, width = images.shape[-2:]
    factor = size / min(height, width)
    target = (max(size, round(height * factor)), max(size, round(width * factor)))
    if target != (height, width):
        images = functional.interpolate(
            images, target, mode="bilinear", antialias=True, align_corners=False
        )
    top, left = (target[0] - size) // 2, (target[1] - size) // 2
    return images[..., top : top + size, left : left + size]
