"""1,797 grey 8x8 digits from scikit-learn; needs no files."""

from typing import Literal

import torch
from pydantic import ConfigDict

from engine.data.base import Data, Dataset, DataSpec
from engine.data.memory import MemorySplit
from engine.data.splits import assemble, draw_test
from engine.monitor import Monitor
from engine.part import field

SHAPE = (1, 8, 8)
WHITE = 16.0  # the brightest stored value
TEST_SHARE = 0.2


class Digits(Dataset):
    """1,797 grey 8x8 digits from scikit-learn; needs no files."""

    model_config = ConfigDict(title="Digits (built in)")
    kind: Literal["digits"] = "digits"
    mean: tuple[float, ...] = field(
        (0.305,), "Mean", "Subtracted from inputs in 0..1.", advanced=True
    )
    std: tuple[float, ...] = field(
        (0.376,), "Standard deviation", "Divides after the mean.", advanced=True
    )

    def describe(self) -> DataSpec:
        """Known without reading anything."""
        shape = self.preparation(SHAPE, WHITE).shape
        return DataSpec("digits", shape, tuple("0123456789"))

    def load(self, device: torch.device, seed: int, monitor: Monitor) -> Data:
        """A fixed fifth of every class is the test set."""
        from sklearn.datasets import load_digits  # late: importing it takes a second

        monitor.check()
        pixels, digits = load_digits(return_X_y=True)
        images = torch.from_numpy(pixels).to(device, torch.uint8).reshape(-1, *SHAPE)
        labels = torch.from_numpy(digits).to(torch.int64)
        every = MemorySplit(images, labels, self.preparation(SHAPE, WHITE))
        train, test = (
            every.subset(indices) for indices in draw_test(labels, TEST_SHARE)
        )
        return assemble(self.describe(), train, test, self.validation, seed)
