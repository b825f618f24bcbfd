"""Arrays from .npz files, good and bad."""

import tracemalloc
import zipfile

import numpy as np
import pytest
import torch

from engine.data.arrays import Arrays
from engine.errors import InputError
from engine.monitor import Monitor

CPU = torch.device("cpu")
LABELS = np.arange(40) % 4
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)


@pytest.fixture
def arrays(tmp_path):
    """Saves arrays and gives the dataset that reads them."""

    def save(name="set.npz", settings=None, **content):
        np.savez(tmp_path / name, **content)
        return Arrays(file=str(tmp_path / name), **(settings or {}))

    return save


def load(dataset, seed=0):
    return dataset.load(CPU, seed, Monitor())


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        (IMAGES, (3, 6, 5)),
        (IMAGES.transpose(0, 3, 1, 2), (3, 6, 5)),
        (IMAGES[..., 0], (1, 6, 5)),
        (IMAGES[..., :1], (1, 6, 5)),
        (IMAGES.reshape(40, -1), (90,)),
        (IMAGES.astype(np.float64), (3, 6, 5)),
        (IMAGES.reshape(40, -1).astype(np.float16), (90,)),
    ],
)
def test_shapes_are_understood(arrays, x, shape):
    dataset = arrays(x=x, y=LABELS)
    spec = dataset.describe()
    data = load(dataset)
    assert spec == data.spec
    assert spec.shape == shape and spec.classes == ("0", "1", "2", "3")
    images, labels = data.test.batch(torch.arange(len(data.test)))
    assert images.shape == (8, *shape) and images.dtype == torch.float32
    assert torch.equal(labels, data.test.labels)


def hostile(path, name, header):
    """An archive with one array that is nothing but its header."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", header)
    return Arrays(file=str(path))


def test_a_header_of_any_length_is_not_read(tmp_path):
    length = 64 * 2**20
    header = b"\x93NUMPY\x02\x00" + length.to_bytes(4, "little") + b" " * length
    dataset = hostile(tmp_path / "long.npz", "x", header)
    del header
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        dataset.describe()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_arrays_without_bytes_are_refused(tmp_path):
    head = b"{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }"
    head += b" " * (117 - len(head)) + b"\n"
    header = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
    with pytest.raises(InputError, match="not as long as it says"):
        hostile(tmp_path / "empty.npz", "classes", header).describe()


def test_a_list_of_countless_classes_is_refused(arrays):
    many = np.zeros(100_001, dtype=np.uint8)
    with pytest.raises(InputError, match="100,001 names"):
        arrays(x=IMAGES, y=LABELS, classes=many).describe()


def test_pixels_land_where_they_belong(arrays):
    dataset = arrays(x=IMAGES, y=LABELS, x_test=IMAGES[:8], y_test=LABELS[:8])
    images, labels = load(dataset).test.batch(torch.arange(8))
    right = torch.from_numpy(IMAGES[:8].transpose(0, 3, 1, 2) / 255).float()
    assert torch.allclose(images, right) and labels.tolist() == LABELS[:8].tolist()


def test_the_layout_can_be_told(arrays):
    x = IMAGES[:, :3, :4]  # (n, 3, 4, 3): which one are the channels?
    last = arrays("a.npz", {"layout": "channels_last"}, x=x, y=LABELS)
    first = arrays("b.npz", {"layout": "channels_first"}, x=x, y=LABELS)
    assert last.describe().shape == (3, 3, 4) and first.describe().shape == (3, 4, 3)


def test_floats_are_taken_as_they_are(arrays):
    x = np.full((40, 2), 7.5)
    assert load(arrays(x=x, y=LABELS)).train.batch(torch.arange(2))[0].eq(7.5).all()


def test_the_test_images_do_not_depend_on_the_seed(arrays):
    dataset = arrays(x=IMAGES, y=LABELS)
    first, second = load(dataset, 0), load(dataset, 1)
    every = torch.arange(len(first.test))
    assert torch.equal(first.test.batch(every)[0], second.test.batch(every)[0])


def test_class_names_may_come_along(arrays):
    names = np.array(["cat", "dog", "cow", "hen", "emu"])
    assert arrays(x=IMAGES, y=LABELS, classes=names).describe().classes[4] == "emu"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": IMAGES}, "no array y"),
        ({"y": LABELS}, "no array x"),
        ({}, "holds nothing"),
        ({"x": IMAGES, "y": LABELS[:9]}, "40 inputs in x for labels of shape"),
        ({"x": IMAGES, "y": LABELS.astype(float)}, "y .* has type float64"),
        ({"x": IMAGES, "y": LABELS + 1}, "run from 1 to 4"),
        ({"x": IMAGES, "y": LABELS * 2}, "run from 0 to 6, with 4"),
        ({"x": IMAGES, "y": LABELS - 1}, "run from -1"),
        ({"x": IMAGES, "y": LABELS * 0}, "with 1 different"),
        ({"x": IMAGES, "y": LABELS, "classes": np.array(["a", "b"])}, "for 2 names"),
        ({"x": IMAGES.astype(int), "y": LABELS}, "x .* has type int64"),
        ({"x": IMAGES[:0], "y": LABELS[:0]}, "has (shape|type)"),
        ({"x": IMAGES[..., None], "y": LABELS}, r"has shape \(40, 6, 5, 3, 1\)"),
        ({"x": IMAGES, "y": LABELS, "x_test": IMAGES}, "only one of x_test"),
        (
            {"x": IMAGES, "y": LABELS, "x_test": IMAGES[:, 1:], "y_test": LABELS},
            "different shapes",
        ),
        ({"x": np.array([object()] * 40), "y": LABELS}, "x .* holds Python objects"),
        ({"x": IMAGES, "y": np.array([{}] * 40)}, "y .* holds Python objects"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_at_once(arrays, content, message):
    dataset = arrays(**content)
    with pytest.raises(InputError, match=message):
        dataset.describe()
    with pytest.raises(InputError, match=message):
        load(dataset)


def test_values_that_are_no_numbers_are_refused(arrays):
    x = np.ones((40, 3), dtype=np.float32)
    x[7, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        load(arrays(x=x, y=LABELS))


def test_a_damaged_file_is_told(arrays, tmp_path):
    arrays(x=IMAGES, y=LABELS)
    whole = (tmp_path / "set.npz").read_bytes()
    for cut in (whole[:0], whole[: len(whole) // 2], b"text" * 9, whole[:-30]):
        (tmp_path / "cut.npz").write_bytes(cut)
        with pytest.raises(InputError, match=r"damaged or not an \.npz"):
            Arrays(file=str(tmp_path / "cut.npz")).describe()
    flipped = bytearray(whole)
    flipped[300] ^= 0xFF  # inside x: only its checksum tells
    (tmp_path / "flipped.npz").write_bytes(flipped)
    with pytest.raises(InputError, match="damaged"):
        load(Arrays(file=str(tmp_path / "flipped.npz")))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        Arrays(file=str(tmp_path / "none.npz")).describe()
    with pytest.raises(InputError, match=r"data\.file is empty"):
        Arrays().describe()


def test_a_header_that_lies_about_its_length_is_refused(tmp_path):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (9000000000000,), }"
    with zipfile.ZipFile(tmp_path / "lie.npz", "w") as archive:
        magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
        archive.writestr("x.npy", magic + header + b"few")
    with pytest.raises(InputError, match="not as long as it says"):
        Arrays(file=str(tmp_path / "lie.npz")).describe()


def test_what_would_not_fit_into_memory_is_refused_unread(arrays, monkeypatch):
    memory = type("Memory", (), {"available": 6000})()
    monkeypatch.setattr("engine.data.npz.psutil.virtual_memory", lambda: memory)
    with pytest.raises(InputError, match=r"x .* unpacks to"):
        arrays(x=np.zeros((40, 90), dtype=np.uint8), y=LABELS).describe()


def test_a_bomb_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.data.npz.BOMB_BYTES", 10_000)
    np.savez_compressed(
        tmp_path / "bomb.npz", x=np.zeros((9000, 90), np.uint8), y=LABELS
    )
    with pytest.raises(InputError, match=r"x .* unpacks to"):
        Arrays(file=str(tmp_path / "bomb.npz")).describe()
