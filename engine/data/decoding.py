"""Image files become uint8 tensors, many at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from engine.errors import InputError
from engine.monitor import Monitor

THREADS = min(8, os.cpu_count() or 1)
CHUNK = 64  # files a thread decodes before it reports


@dataclass(frozen=True)
class Decoder:
    """How files become images of one shape.

    Attributes:
        shape: (channels, height, width) of every result.
        resize: Scale and crop to that shape; otherwise a file must have its size.
        convert: Make colour images grey; otherwise one among grey ones is refused.
    """

    shape: tuple[int, int, int]
    resize: bool
    convert: bool

    def __call__(self, path: Path) -> np.ndarray:
        """One image, (channels, height, width) uint8.

        Raises:
            InputError: The file is no readable image, or an odd one out.
        """
        channels, height, width = self.shape
        with opened(path) as image:
            if not self.resize and image.size != (width, height):
                raise InputError(
                    f"{path} is {image.width}x{image.height} pixels, "
                    f"the first image is {width}x{height}.",
                    "Set data.size: all images are then scaled and cropped to it.",
                )
            if channels == 1 and not self.convert and not is_grey(image):
                raise InputError(
                    f"{path} is a colour image, the first image is grey.",
                    "Set data.channels to 3 or 1: all images are then converted.",
                )
            try:
                return self._pixels(image)
            except Exception as error:  # Pillow raises anything for a broken file
                raise unreadable(path, error) from error

    def decode(self, paths: list[Path]) -> Tensor:
        """These images, (n, channels, height, width) uint8, decoded by many threads."""
        with ThreadPoolExecutor(THREADS) as pool:
            images = list(pool.map(self, paths))
        return torch.from_numpy(np.stack(images))

    def decode_all(self, paths: list[Path], monitor: Monitor) -> Tensor:
        """The same for a whole dataset, with progress; a stop ends it at once."""
        images = np.empty((len(paths), *self.shape), dtype=np.uint8)

        def fill(start: int) -> None:
            for row, path in enumerate(paths[start : start + CHUNK], start):
                images[row] = self(path)

        pool = ThreadPoolExecutor(THREADS)
        try:
            starts = range(0, len(paths), CHUNK)
            chunks = [pool.submit(fill, start) for start in starts]
            for chunk in monitor.track(chunks, "Decoding images"):
                chunk.result()
        finally:
            pool.shutdown(cancel_futures=True)
        return torch.from_numpy(images)

    def _pixels(self, image: Image.Image) -> np.ndarray:
        channels, height, width = self.shape
        converted = _eight_bit(image, "L" if channels == 1 else "RGB")
        if self.resize and converted.size != (width, height):
            converted = ImageOps.fit(
                converted, (width, height), Image.Resampling.BILINEAR
            )
        pixels = np.asarray(converted, dtype=np.uint8)
        return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def opened(path: Path) -> Image.Image:
    """The image, its header read and its pixels not yet.

    Raises:
        InputError: It is no image.
    """
    try:
        return Image.open(path)
    except Exception as error:  # Pillow raises anything for a broken file
        raise unreadable(path, error) from error


def is_grey(image: Image.Image) -> bool:
    """Whether the file stores one channel (an alpha channel does not count)."""
    return image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")


def unreadable(path: Path, error: Exception) -> InputError:
    """The sentence for a file that Pillow cannot read."""
    return InputError(
        f"{path} cannot be read as an image.",
        "Remove or replace the file.",
        (f"{type(error).__name__}: {error}",),
    )


def _eight_bit(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel, which convert() would clip
        wide = np.asarray(image)
        image = Image.fromarray((wide.clip(0, 65_535) // 256).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert(mode)
