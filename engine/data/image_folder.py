"""One folder of images per class."""

import math
from pathlib import Path
from typing import Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.data import folders
from engine.data.base import Data, Dataset, DataSpec, Split
from engine.data.decoding import Decoder, is_grey, opened
from engine.data.download import chosen
from engine.data.files import FileSplit
from engine.data.memory import MemorySplit
from engine.data.preparation import Preparation
from engine.data.splits import assemble, draw_test
from engine.monitor import Monitor
from engine.part import field

LARGEST = 2 * 1024**3  # bytes of decoded images that are kept in memory


class ImageFolder(Dataset):
    """One folder of images per class.

    `folder` holds `train/` and `test/` (a `val/` serves as validation beside a test
    folder, and as the test set without one), or the class folders themselves; classes
    are numbered by sorted name.
    """

    model_config = ConfigDict(title="Image folder")
    kind: Literal["image_folder"] = "image_folder"
    folder: str = field(
        "", "Folder", "Holds train/ and test/, or one folder of images per class.",
        path="folder",
    )  # fmt: skip
    test_share: float = field(
        0.2, "Test share",
        "Part of every class set aside for testing when there is no test folder.",
        gt=0, lt=1,
    )  # fmt: skip

    def describe(self) -> DataSpec:
        """Opens the first image only."""
        found, names = self._find()
        _, preparation = self._prepare(found, names)
        return DataSpec(Path(self.folder).resolve().name, preparation.shape, names)

    def load(self, device: torch.device, seed: int, monitor: Monitor) -> Data:
        """Decodes everything if it fits into memory, else as it is served."""
        found, names = self._find()
        decoder, preparation = self._prepare(found, names)
        listed = [folders.files(part, names, monitor) for part in found.parts]
        total = math.prod(decoder.shape) * sum(len(paths) for paths, _ in listed)
        if total > LARGEST:
            monitor.notice(
                f"The images would take {total / 1024**3:.1f} GB of memory, so they "
                "are decoded as they are needed.",
                "A smaller data.size makes this faster.", level="info",
            )  # fmt: skip

        def split(paths: list[Path], labels: Tensor) -> Split:
            if total > LARGEST:
                return FileSplit(paths, labels, decoder, preparation, device)
            images = decoder.decode_all(paths, monitor).to(device)
            return MemorySplit(images, labels, preparation)

        splits = [split(paths, labels) for paths, labels in listed]
        return self._assemble(found, splits, seed, monitor)

    def _find(self) -> tuple[folders.Layout, tuple[str, ...]]:
        found = folders.layout(chosen("data.folder", self.folder))
        return found, folders.class_names(found)

    def _prepare(
        self, found: folders.Layout, names: tuple[str, ...]
    ) -> tuple[Decoder, Preparation]:
        """Size and channels are settled while decoding, the rest while serving."""
        with opened(folders.first_image(found.train, names[0])) as image:
            channels = self.channels or (1 if is_grey(image) else 3)
            width, height = (self.size, self.size) if self.size else image.size
        shape = (channels, height, width)
        decoder = Decoder(shape, resize=self.size > 0, convert=self.channels > 0)
        return decoder, self.preparation(shape)

    def _assemble(
        self, found: folders.Layout, splits: list[Split], seed: int, monitor: Monitor
    ) -> Data:
        spec = self.describe()
        if found.test is None:
            train, test = draw_test(splits[0].labels, self.test_share)
            whole = splits[0]
            return assemble(
                spec, whole.subset(train), whole.subset(test), self.validation, seed
            )
        if found.test.name in folders.VALIDATION:
            monitor.notice(
                f"There is no folder test, so {found.test} is the test set.",
                level="info",
            )
        if found.validation:
            monitor.notice(
                f"{found.validation} is the validation split.",
                "data.validation does not apply.", level="info",
            )  # fmt: skip
        return assemble(spec, splits[0], splits[1], self.validation, seed, *splits[2:])
