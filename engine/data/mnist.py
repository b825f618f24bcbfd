"""MNIST in torchvision's layout."""

import math
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.data.base import Data, Dataset, DataSpec
from engine.data.download import chosen, fetched
from engine.data.memory import MemorySplit
from engine.data.splits import assemble
from engine.errors import InputError
from engine.monitor import Monitor
from engine.part import field

FILES = (
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
)  # fmt: skip
SHAPE = (1, 28, 28)


class Mnist(Dataset):
    """70,000 grey images of 28x28 pixels in ten classes (LeCun et al., 1998).

    Fashion-MNIST and KMNIST have the same files: set `root` to their own folder.
    """

    model_config = ConfigDict(title="MNIST")
    kind: Literal["mnist"] = "mnist"
    root: str = field(
        "", "Folder", "Holds MNIST/raw, as torchvision leaves it.", path="folder"
    )
    download: bool = field(
        False, "Download", "Fetch the data (12 MB) if the folder does not hold them."
    )
    mean: tuple[float, ...] = field(
        (0.1307,), "Mean", "Subtracted from inputs in 0..1.", advanced=True
    )
    std: tuple[float, ...] = field(
        (0.3081,), "Standard deviation", "Divides after the mean.", advanced=True
    )

    def describe(self) -> DataSpec:
        """Looks whether the files are there, or may be downloaded."""
        shape = self.preparation(SHAPE).shape
        if self.download:
            chosen("data.root", self.root)
        else:
            self._folder()
        return DataSpec("mnist", shape, tuple("0123456789"))

    def load(self, device: torch.device, seed: int, monitor: Monitor) -> Data:
        """60,000 images to train with, 10,000 to test."""
        spec = self.describe()
        if self.download:
            fetched("MNIST", chosen("data.root", self.root), monitor)
        folder = self._folder()
        preparation = self.preparation(SHAPE)
        arrays = [read_idx(folder / n) for n in monitor.track(FILES, "Reading MNIST")]
        train, test = (
            MemorySplit(*_checked(folder, images, labels, device), preparation)
            for images, labels in (arrays[:2], arrays[2:])
        )
        return assemble(spec, train, test, self.validation, seed)

    def _folder(self) -> Path:
        root = chosen("data.root", self.root)
        for folder in (root / "MNIST" / "raw", root / "raw", root):
            if (folder / FILES[0]).is_file():
                return folder
        raise InputError(
            f"{root.absolute()} holds no MNIST: MNIST/raw/{FILES[0]} is missing.",
            "Set data.root to the folder with MNIST/raw, or data.download to true.",
        )


def read_idx(path: Path) -> Tensor:
    """The uint8 array of an IDX file: zeros, type, rank, big-endian sizes, bytes.

    Raises:
        InputError: The file is not of that format, or cut short.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "Give all four MNIST files."
        ) from error
    rank = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    start = 4 + 4 * rank
    sizes = (
        np.frombuffer(content[4:start], dtype=">u4") if len(content) >= start else ()
    )
    shape = [int(size) for size in sizes]
    if not rank or len(content) - start != math.prod(shape):
        raise InputError(
            f"{path} is not a whole IDX file of bytes.",
            "Delete it and download MNIST again (data.download).",
        )
    values = np.frombuffer(content, dtype=np.uint8, offset=start)
    return torch.from_numpy(values.reshape(shape).copy())


def _checked(
    folder: Path, images: Tensor, labels: Tensor, device: torch.device
) -> tuple[Tensor, Tensor]:
    fits = images.shape[1:] == SHAPE[1:] and labels.shape == images.shape[:1]
    if not fits or not len(labels) or labels.max() > 9:
        raise InputError(
            f"The files in {folder} are not MNIST: images {tuple(images.shape)}, "
            f"labels {tuple(labels.shape)}.",
            "Give 28x28 images with one label of 0 to 9 each.",
        )
    return images[:, None].to(device), labels.to(torch.int64)
