"""Images in memory and their subsets."""

import pytest
import torch

from engine.data.memory import MemorySplit
from engine.data.preparation import Preparation
from engine.monitor import Monitor


@pytest.fixture
def split():
    images = torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1, 1)
    prepare = Preparation((1, 1, 1), 1.0, (0.0,), (1.0,))
    return MemorySplit(images, torch.arange(10), prepare)


def test_batches_can_be_counted_and_iterated_again(split):
    batches = split.batches(4)
    for _ in range(2):
        found = [labels.tolist() for _, labels in Monitor().track(batches, "Reading")]
        assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(batches) == 3 and len(split.batches(10)) == 1


def test_images_stay_with_their_labels_through_subsets(split):
    part = split.subset(torch.tensor([8, 3, 5])).subset(torch.tensor([2, 0]))
    images, labels = part.batch(torch.tensor([1, 0, 0]))
    assert images.reshape(-1).tolist() == labels.tolist() == [8, 5, 5]
    assert part.labels.tolist() == [5, 8] and len(part) == 2


def test_subsets_share_the_images(split):
    part = split.subset(torch.tensor([1]))
    assert part._images.data_ptr() == split._images.data_ptr()
