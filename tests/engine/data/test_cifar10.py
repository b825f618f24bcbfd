"""CIFAR-10 files, good, broken and hostile."""

import os
import pickle

import numpy as np
import pytest
import torch

from engine.data.cifar10 import FOLDER, TEST, TRAIN, Cifar10
from engine.errors import InputError
from engine.monitor import Monitor

CPU = torch.device("cpu")


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def root(tmp_path):
    """Ten images per file, the pixel value telling the file and the image."""
    (tmp_path / FOLDER).mkdir()
    for number, name in enumerate((*TRAIN, TEST)):
        pixels = np.repeat(np.arange(10, dtype=np.uint8)[:, None], 3072, axis=1)
        write(tmp_path, name, {"data": pixels + 10 * number, "labels": list(range(10))})
    return tmp_path


def write(root, name, content):
    (root / FOLDER / name).write_bytes(pickle.dumps(content, protocol=2))


def test_both_splits_are_read(root):
    dataset = Cifar10(root=str(root), mean=(0.0,), std=(1.0,), validation=0.2)
    data = dataset.load(CPU, 0, Monitor())
    assert dataset.describe() == data.spec and data.spec.shape == (3, 32, 32)
    assert (len(data.train), len(data.validation), len(data.test)) == (40, 10, 10)
    images, labels = data.test.batch(torch.arange(10))
    assert images[:, 0, 0, 0].mul(255).round().tolist() == list(range(50, 60))
    assert labels.tolist() == list(range(10))


def test_the_inner_folder_will_do(root):
    assert (
        Cifar10(root=str(root / FOLDER)).load(CPU, 0, Monitor()).spec.classes[3]
        == "cat"
    )


def test_code_in_a_batch_is_refused_and_not_run(root, tmp_path):
    write(root, TRAIN[2], {"data": Hostile(tmp_path / "ran"), "labels": [0]})
    with pytest.raises(InputError, match="data_batch_3 is not a CIFAR-10 batch"):
        Cifar10(root=str(root)).load(CPU, 0, Monitor())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        {"data": np.zeros((2, 3072), np.uint8), "labels": [0]},
        {"data": np.zeros((2, 3072), np.float32), "labels": [0, 1]},
        {"data": np.zeros((1, 3000), np.uint8), "labels": [0]},
        {"data": np.zeros((1, 3072), np.uint8), "labels": [10]},
        {"labels": [0]},
        [],
    ],
)
def test_a_batch_of_another_form_is_refused(root, content):
    write(root, TEST, content)
    with pytest.raises(InputError, match="test_batch is not"):
        Cifar10(root=str(root)).load(CPU, 0, Monitor())


def test_a_truncated_or_missing_batch_is_told(root):
    path = root / FOLDER / TRAIN[0]
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="data_batch_1"):
        Cifar10(root=str(root)).load(CPU, 0, Monitor())
    path.unlink()
    with pytest.raises(InputError, match="data_batch_1"):
        Cifar10(root=str(root)).load(CPU, 0, Monitor())


def test_missing_data_say_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught:
        Cifar10(root=str(tmp_path)).describe()
    assert "data.download" in caught.value.hint
    for download in (False, True):
        with pytest.raises(InputError, match=r"data\.root is empty"):
            Cifar10(download=download).describe()


def test_downloading_is_asked_for_and_its_failure_told(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.utils.urllib.request.urlopen", offline)
    dataset = Cifar10(root=str(tmp_path), download=True)
    assert dataset.describe().name == "cifar10"
    with pytest.raises(InputError, match="could not be downloaded"):
        dataset.load(CPU, 0, Monitor())
