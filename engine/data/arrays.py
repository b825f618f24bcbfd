"""Arrays x and y from an .npz file."""

import math
from typing import Literal

import numpy as np
import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.data.base import Data, Dataset, DataSpec
from engine.data.download import chosen
from engine.data.memory import MemorySplit
from engine.data.npz import HINT, Archive
from engine.data.preparation import Preparation
from engine.data.splits import assemble, draw_test
from engine.errors import InputError
from engine.monitor import Monitor
from engine.part import field

MOST_CLASSES = 100_000
FLOATS = ("float16", "float32", "float64")


class Arrays(Dataset):
    """Arrays x and y from an .npz file.

    x is uint8 (0..255 become 0..1) or floating (as it is): (n, h, w), (n, h, w, c),
    (n, c, h, w), or (n, features). y holds whole numbers 0..k-1. Optional: x_test and
    y_test, and `classes`, the k names.
    """

    model_config = ConfigDict(title="Arrays (.npz)")
    kind: Literal["arrays"] = "arrays"
    file: str = field(
        "", "File", "An .npz file with x, y and perhaps x_test, y_test and classes.",
        path="file",
    )  # fmt: skip
    layout: Literal["auto", "channels_first", "channels_last"] = field(
        "auto", "Channels come",
        "Where x has its channels; auto takes the shorter of the two axes.",
        advanced=True,
    )  # fmt: skip
    test_share: float = field(
        0.2, "Test share",
        "Part of every class set aside for testing when there is no x_test.",
        gt=0, lt=1,
    )  # fmt: skip
    mean: tuple[float, ...] = field(
        (0.0,), "Mean", "Subtracted per channel from the inputs.", advanced=True
    )
    std: tuple[float, ...] = field(
        (1.0,), "Standard deviation", "Divides each channel after the mean.",
        advanced=True,
    )  # fmt: skip

    def describe(self) -> DataSpec:
        """Reads the headers and the labels, no image."""
        archive = Archive(chosen("data.file", self.file))
        names = ("y", "y_test") if _separate_test(archive) else ("y",)
        labels = [_labels(archive, name) for name in names]
        classes = _classes(archive, torch.cat(labels))
        shape = self._preparation(archive).shape
        return DataSpec(archive.path.stem, shape, classes)

    def load(self, device: torch.device, seed: int, monitor: Monitor) -> Data:
        """Both arrays are read whole."""
        spec = self.describe()
        archive = Archive(chosen("data.file", self.file))
        preparation = self._preparation(archive)
        parts = ("", "_test") if _separate_test(archive) else ("",)
        splits = [
            MemorySplit(
                self._images(archive, f"x{part}").to(device),
                _labels(archive, f"y{part}"),
                preparation,
            )
            for part in monitor.track(parts, "Reading arrays")
        ]
        if len(splits) == 2:
            return assemble(spec, *splits, self.validation, seed)
        train, test = draw_test(splits[0].labels, self.test_share)
        train_split, test_split = splits[0].subset(train), splits[0].subset(test)
        return assemble(spec, train_split, test_split, self.validation, seed)

    def _preparation(self, archive: Archive) -> Preparation:
        shapes = {self._shape(archive, name) for name in _inputs(archive)}
        if len(shapes) > 1:
            raise InputError(
                f"x and x_test in {archive.path} have different shapes.",
                "Give both the same shape but for the first axis.",
            )
        scale = 255.0 if archive.headers["x"].dtype == np.uint8 else 1.0
        return self.preparation(shapes.pop(), scale)

    def _shape(self, archive: Archive, name: str) -> tuple[int, ...]:
        """Of one stored input: (c, h, w) or (features,)."""
        header = archive.headers[name]
        if header.dtype != np.uint8 and header.dtype.name not in FLOATS:
            raise InputError(
                f"{name} in {archive.path} has type {header.dtype.name}.",
                "Save images as uint8 (0 to 255), other inputs as float32.",
            )
        shape = header.shape
        if len(shape) not in (2, 3, 4) or 0 in shape:
            raise InputError(
                f"{name} in {archive.path} has shape {shape}.",
                "Give (n, h, w), (n, h, w, c), (n, c, h, w) or (n, features).",
            )
        labels = archive.headers[name.replace("x", "y", 1)].shape
        if labels[:1] != shape[:1]:
            raise InputError(
                f"{archive.path} has {shape[0]} inputs in {name} for labels of "
                f"shape {labels}.",
                "Give one label for each input.",
            )
        if len(shape) == 2:
            return shape[1:]
        if len(shape) == 3:
            return (1, *shape[1:])
        return (shape[3], *shape[1:3]) if self._channels_last(shape) else shape[1:]

    def _channels_last(self, shape: tuple[int, ...]) -> bool:
        if self.layout == "auto":
            return len(shape) == 4 and shape[3] < shape[1]
        return len(shape) == 4 and self.layout == "channels_last"

    def _images(self, archive: Archive, name: str) -> Tensor:
        values = archive.read(name)
        if self._channels_last(values.shape):
            values = values.transpose(0, 3, 1, 2)
        if values.dtype != np.uint8:
            values = values.astype(np.float32)
            if not np.isfinite(values).all():
                raise InputError(
                    f"{name} in {archive.path} has values that are not finite numbers.",
                    "Remove or replace the NaN and infinite values.",
                )
        images = torch.from_numpy(np.ascontiguousarray(values))
        return images[:, None] if images.ndim == 3 else images


def _inputs(archive: Archive) -> tuple[str, ...]:
    missing = [name for name in ("x", "y") if name not in archive.headers]
    if missing:
        found = ", ".join(archive.headers) or "nothing"
        raise InputError(
            f"{archive.path} has no array {missing[0]}; it holds {found}.", HINT
        )
    return ("x", "x_test") if _separate_test(archive) else ("x",)


def _separate_test(archive: Archive) -> bool:
    have = [name in archive.headers for name in ("x_test", "y_test")]
    if any(have) and not all(have):
        raise InputError(
            f"{archive.path} has only one of x_test and y_test.", "Give both or none."
        )
    return all(have)


def _labels(archive: Archive, name: str) -> Tensor:
    """(n,) int64, whole and not negative."""
    _inputs(archive)
    header = archive.headers[name]
    flat = len(header.shape) == 1 or (len(header.shape) == 2 and header.shape[1] == 1)
    if header.dtype.kind not in "iu" or not flat or 0 in header.shape:
        raise InputError(
            f"{name} in {archive.path} has type {header.dtype.name} and shape "
            f"{header.shape}.",
            "Give one whole number from 0 to classes - 1 for each input.",
        )
    return torch.from_numpy(archive.read(name).reshape(-1).astype(np.int64))


def _classes(archive: Archive, labels: Tensor) -> tuple[str, ...]:
    """Names from the file, or the numbers, of which none may be left out."""
    present = labels.unique().tolist()
    names: tuple[str, ...] = ()
    if "classes" in archive.headers:
        listed = math.prod(archive.headers["classes"].shape)
        if listed > MOST_CLASSES:
            raise InputError(
                f"classes in {archive.path} holds {listed:,} names.",
                f"Give one name for each class, {MOST_CLASSES:,} at most.",
            )
        names = tuple(str(name) for name in archive.read("classes").reshape(-1))
    count = len(names) or len(present)
    if count < 2 or present[0] < 0 or present[-1] >= count:
        raise InputError(
            f"The labels in {archive.path} run from {present[0]} to {present[-1]}, "
            f"with {len(present)} different values"
            + (f" for {count} names in classes." if names else "."),
            "Number the classes 0, 1, ... without gaps, two at least, or list all "
            "their names as classes.",
        )
    return names or tuple(str(label) for label in present)
