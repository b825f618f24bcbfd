"""MNIST files, whole and broken."""

import struct

import pytest
import torch

from engine.data.mnist import FILES, Mnist
from engine.errors import InputError
from engine.monitor import Monitor

CPU = torch.device("cpu")


def idx(*shape, values):
    sizes = struct.pack(f">{len(shape)}I", *shape)
    return bytes([0, 0, 8, len(shape)]) + sizes + bytes(values)


@pytest.fixture
def root(tmp_path):
    """Twenty training and ten test images, each grey as its label."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for count, names in ((20, FILES[:2]), (10, FILES[2:])):
        labels = [n % 10 for n in range(count)]
        pixels = [label for label in labels for _ in range(784)]
        (raw / names[0]).write_bytes(idx(count, 28, 28, values=pixels))
        (raw / names[1]).write_bytes(idx(count, values=labels))
    return tmp_path


@pytest.mark.parametrize("inner", ["", "MNIST", "MNIST/raw"])
def test_the_files_are_found_and_read(root, inner):
    data = Mnist(root=str(root / inner), mean=(0.0,), std=(1.0,)).load(
        CPU, 0, Monitor()
    )
    assert data.spec.shape == (1, 28, 28)
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 10, 10)
    images, labels = data.test.batch(torch.arange(10))
    assert torch.equal(images[:, 0, 5, 5].mul(255).round().long(), labels)


def test_a_colour_network_gets_three_channels(root):
    data = Mnist(root=str(root), channels=3, size=32).load(CPU, 0, Monitor())
    assert data.spec.shape == (3, 32, 32)
    assert data.train.batch(torch.arange(2))[0].shape == (2, 3, 32, 32)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b\x08\x00", b"\x00\x00\x08\xff", None]
)
def test_a_file_that_is_not_whole_is_told(root, name, content):
    path = root / "MNIST" / "raw" / name
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    with pytest.raises(InputError, match=f"{name} is not a whole IDX file"):
        Mnist(root=str(root)).load(CPU, 0, Monitor())


def test_files_that_do_not_belong_together_are_told(root):
    raw = root / "MNIST" / "raw"
    (raw / FILES[3]).write_bytes(idx(9, values=[0] * 9))
    with pytest.raises(InputError, match="are not MNIST"):
        Mnist(root=str(root)).load(CPU, 0, Monitor())


def test_missing_data_say_what_to_do(root, tmp_path):
    (root / "MNIST" / "raw" / FILES[3]).unlink()
    with pytest.raises(InputError, match="cannot be read"):
        Mnist(root=str(root)).load(CPU, 0, Monitor())
    with pytest.raises(InputError) as caught:
        Mnist(root=str(tmp_path / "none")).describe()
    assert "data.download" in caught.value.hint
