"""CIFAR-10 in torchvision's layout."""

import pickle
from pathlib import Path
from typing import Any, Literal

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

FOLDER = "cifar-10-batches-py"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
SHAPE = (3, 32, 32)
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


class Cifar10(Dataset):
    """60,000 colour images of 32x32 pixels in ten classes (Krizhevsky, 2009)."""

    model_config = ConfigDict(title="CIFAR-10")
    kind: Literal["cifar10"] = "cifar10"
    root: str = field(
        "", "Folder", f"Holds {FOLDER}, as torchvision leaves it.", path="folder"
    )
    download: bool = field(
        False, "Download", "Fetch the data (170 MB) if the folder does not hold them."
    )
    augment: Literal["none", "flip", "crop", "crop_flip"] = field(
        "crop_flip", "Augmentation",
        "Random shifts (a crop from padded images) and mirroring while fine-tuning.",
    )  # fmt: skip
    mean: tuple[float, ...] = field(
        (0.4914, 0.4822, 0.4465), "Mean", "Subtracted per channel from inputs in 0..1.",
        advanced=True,
    )  # fmt: skip
    std: tuple[float, ...] = field(
        (0.2470, 0.2435, 0.2616), "Standard deviation",
        "Divides each channel after the mean.", advanced=True,
    )  # fmt: skip

    def describe(self) -> DataSpec:
        """Looks whether the files are there, or may be downloaded."""
        shape = self.preparation(SHAPE).shape
        if self.download:
            chosen("data.root", self.root)
        else:
            self._folder()
        return DataSpec("cifar10", shape, CLASSES)

    def load(self, device: torch.device, seed: int, monitor: Monitor) -> Data:
        """50,000 images to train with, 10,000 to test."""
        spec = self.describe()
        if self.download:
            fetched("CIFAR10", chosen("data.root", self.root), monitor)
        folder = self._folder()
        preparation = self.preparation(SHAPE)
        batches = [
            _read(folder / name)
            for name in monitor.track((*TRAIN, TEST), "Reading CIFAR-10")
        ]
        train, test = (
            MemorySplit(
                torch.cat([images for images, _ in part]).to(device),
                torch.cat([labels for _, labels in part]),
                preparation,
            )
            for part in (batches[:-1], batches[-1:])
        )
        return assemble(spec, train, test, self.validation, seed)

    def _folder(self) -> Path:
        root = chosen("data.root", self.root)
        for folder in (root / FOLDER, root):
            if (folder / TEST).is_file():
                return folder
        raise InputError(
            f"{root.absolute()} holds no CIFAR-10: {FOLDER} is missing.",
            f"Set data.root to the folder with {FOLDER}, or data.download to true.",
        )


class _Arrays(pickle.Unpickler):
    """Unpickles numpy arrays and plain values; anything else is refused, not run."""

    ALLOWED = frozenset(
        {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("multiarray", "_reconstruct"),
            ("numeric", "_frombuffer"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        """The few constructors that an array needs."""
        inner = module.removeprefix("numpy.core.").removeprefix("numpy._core.")
        if (inner, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not an array")
        return super().find_class(module.replace("numpy.core.", "numpy._core."), name)


def _read(path: Path) -> tuple[Tensor, Tensor]:
    """Images (n, 3, 32, 32) uint8 and labels (n,) int64 of one batch file."""
    try:
        with path.open("rb") as file:
            content = _Arrays(file, encoding="latin1").load()
        images = np.asarray(content["data"]).reshape(-1, *SHAPE)
        labels = torch.tensor(content["labels"], dtype=torch.int64)
        if images.dtype != np.uint8 or len(images) != len(labels) or not len(labels):
            raise ValueError("images and labels do not fit")
        if labels.min() < 0 or labels.max() >= len(CLASSES):
            raise ValueError("a label is not one of the ten classes")
    except Exception as error:  # a broken pickle can raise anything
        raise InputError(
            f"{path} is not a CIFAR-10 batch.",
            "Delete the folder and download it again (data.download).",
            (f"{type(error).__name__}: {error}",),
        ) from error
    return torch.from_numpy(images), labels
