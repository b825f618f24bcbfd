"""Image folders, well-formed and not."""

import time

import numpy as np
import pytest
import torch
from PIL import Image

from engine.data.files import FileSplit
from engine.data.image_folder import ImageFolder
from engine.data.memory import MemorySplit
from engine.errors import InputError, Stopped
from engine.events import Noticed, Progressed
from engine.monitor import Control, Monitor

CPU = torch.device("cpu")
PLAIN = {"mean": (0.0,), "std": (1.0,)}


def image(path, value=0, size=(6, 5), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode != "RGB" else (value,) * 3).save(path)


@pytest.fixture
def tree(tmp_path):
    """train/ and test/ of two classes; the grey value is the image's number."""
    for part, count in (("train", 10), ("test", 4)):
        for name in ("cat", "dog"):
            for number in range(count):
                image(tmp_path / part / name / f"{number:02}.png", number)
    return tmp_path


def load(folder, monitor=None, **settings):
    dataset = ImageFolder(folder=str(folder), **settings)
    return dataset.load(CPU, 0, monitor or Monitor())


def notices(folder, **settings):
    events = []
    load(folder, Monitor(events.append), **settings)
    return [event.message for event in events if isinstance(event, Noticed)]


def values(split):
    images, labels = split.batch(torch.arange(len(split)))
    pixels = images[:, 0, 0, 0].mul(255).round().int()
    return list(zip(pixels.tolist(), labels.tolist(), strict=True))


def test_train_and_test_folders(tree):
    data = load(tree, **PLAIN)
    assert data.spec == ImageFolder(folder=str(tree)).describe()
    assert data.spec.shape == (3, 5, 6) and data.spec.classes == ("cat", "dog")
    assert data.spec.name == tree.name
    assert values(data.test) == [(n, label) for label in (0, 1) for n in range(4)]
    assert (len(data.train), len(data.validation)) == (18, 2)


def test_a_validation_folder_serves_as_such(tree):
    image(tree / "val" / "cat" / "a.png", 77)
    image(tree / "val" / "dog" / "a.png", 78)
    data = load(tree, **PLAIN)
    assert values(data.validation) == [(77, 0), (78, 1)] and len(data.train) == 20
    assert any("validation split" in text for text in notices(tree))


def test_without_a_test_folder_val_is_the_test_set(tree):
    (tree / "test").rename(tree / "val")
    assert len(load(tree).test) == 8
    assert any("is the test set" in text for text in notices(tree))


def test_one_folder_of_classes_is_divided(tree):
    data = load(tree / "train", test_share=0.3, **PLAIN)
    assert (len(data.train), len(data.validation), len(data.test)) == (12, 2, 6)
    assert data.test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    everything = [*values(data.train), *values(data.validation), *values(data.test)]
    assert sorted(everything) == sorted((n, c) for n in range(10) for c in (0, 1))


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "car"):
        for number in range(4):
            image(tmp_path / name / f"{number}.png")
    assert ImageFolder(folder=str(tmp_path)).describe().classes == ("car", "train")


def test_it_is_described_from_one_image(tree):
    for number in range(300):
        (tree / "train" / "dog" / f"x{number}.png").write_bytes(b"broken")
    began = time.perf_counter()
    ImageFolder(folder=str(tree)).describe()
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("content", [b"", b"no image at all", None])
def test_an_unreadable_image_is_named(tree, content):
    path = tree / "train" / "dog" / "03.png"
    path.write_bytes(path.read_bytes()[:50] if content is None else content)
    with pytest.raises(InputError, match=r"03\.png cannot be read as an image"):
        load(tree)


def test_a_truncated_jpeg_is_named(tree):
    path = tree / "test" / "dog" / "z.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"z\.jpg cannot be read"):
        load(tree)


def test_an_image_of_another_size_is_named_and_size_mends_it(tree):
    image(tree / "train" / "dog" / "05.png", 5, size=(12, 9))
    with pytest.raises(InputError, match=r"05\.png is 12x9 pixels") as caught:
        load(tree)
    assert "data.size" in caught.value.hint
    data = load(tree, size=4)
    assert data.spec.shape == (3, 4, 4)
    assert data.train.batch(torch.tensor([0]))[0].shape == (1, 3, 4, 4)


def test_resizing_cuts_out_the_middle(tmp_path):
    stripes = np.zeros((4, 8), dtype=np.uint8)
    stripes[:, 2:6] = 255
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.fromarray(stripes).save(tmp_path / name / f"{number}.png")
    data = load(tmp_path, size=4, **PLAIN)
    assert data.test.batch(torch.tensor([0]))[0].eq(1).all()


def test_grey_images_stay_grey_unless_told(tmp_path):
    for name in "ab":
        for number in range(3):
            image(tmp_path / name / f"{number}.png", 9, mode="L")
    assert ImageFolder(folder=str(tmp_path)).describe().shape == (1, 5, 6)
    assert load(tmp_path, channels=3).spec.shape == (3, 5, 6)
    image(tmp_path / "b" / "2.png", 9)
    with pytest.raises(InputError, match=r"2\.png is a colour image") as caught:
        load(tmp_path)
    assert "data.channels" in caught.value.hint
    assert load(tmp_path, channels=1).spec.shape == (1, 5, 6)


@pytest.mark.parametrize(
    ("mode", "stored", "shown"),
    [("I;16", 0x8000, 128), ("1", 1, 255), ("L", 7, 7), ("LA", (9, 0), 9)],
)
def test_unusual_pixels_become_bytes(tmp_path, mode, stored, shown):
    for name in "ab":
        for number in range(2):
            image(tmp_path / name / f"{number}.png", stored, mode=mode)
    data = load(tmp_path, **PLAIN)
    assert data.spec.shape[0] == 1
    assert {value for value, _ in values(data.test)} == {shown}


def test_palettes_and_alpha_become_colour(tmp_path):
    for name in "ab":
        image(tmp_path / name / "0.png", (10, 10, 10, 99), mode="RGBA")
        path = tmp_path / name / "1.png"
        Image.new("RGB", (6, 5), (10, 10, 10)).quantize(4).save(
            path, transparency=b"\0"
        )
    data = load(tmp_path, **PLAIN)
    assert data.spec.shape == (3, 5, 6)
    assert {
        v for s in (data.train, data.validation, data.test) for v, _ in values(s)
    } == {10}


def test_other_files_are_left_out_and_said_so(tree):
    (tree / "train" / "cat" / "notes.txt").write_text("hello")
    (tree / "train" / "cat" / ".hidden").write_text("hello")
    assert any(text.startswith("1 files in") for text in notices(tree))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda tree: (tree / "train" / "emu").mkdir(), "differ in their classes: emu"),
        (lambda tree: image(tree / "test" / "ant" / "0.png"), "differ .*: ant"),
        (
            lambda tree: [(tree / p / "emu").mkdir() for p in ("train", "test")],
            "emu holds no images",
        ),
        (lambda tree: (tree / "train").rename(tree / "other"), "no folder train"),
    ],
)
def test_trees_that_cannot_be_used(tree, break_it, message):
    break_it(tree)
    with pytest.raises(InputError, match=message):
        load(tree)


def test_folders_that_are_none(tmp_path, tree):
    with pytest.raises(InputError, match="is not a folder"):
        ImageFolder(folder=str(tmp_path / "none")).describe()
    with pytest.raises(InputError, match=r"data\.folder is empty"):
        ImageFolder().describe()
    with pytest.raises(InputError, match="holds 0 class folders"):
        ImageFolder(folder=str(tree / "train" / "cat")).describe()
    outer = tmp_path / "outer"
    (outer / "inner").mkdir(parents=True)
    for part in ("train", "test"):
        (tree / part).rename(outer / "inner" / part)
    with pytest.raises(InputError) as caught:
        ImageFolder(folder=str(outer)).describe()
    assert caught.value.hint.endswith("inner.")


def test_too_many_images_for_memory_are_served_from_files(tree, monkeypatch):
    held = load(tree, augment="crop_flip", **PLAIN)
    monkeypatch.setattr("engine.data.image_folder.LARGEST", 100)
    assert any("decoded as they are needed" in text for text in notices(tree))
    data = load(tree, augment="crop_flip", **PLAIN)
    assert isinstance(data.train, FileSplit) and isinstance(held.train, MemorySplit)
    for part in ("train", "validation", "test"):
        lazy, quick = getattr(data, part), getattr(held, part)
        assert values(lazy) == values(quick)
        for (x, y), (a, b) in zip(lazy.batches(3), quick.batches(3), strict=True):
            assert torch.equal(x, a) and torch.equal(y, b)
        some = torch.arange(min(2, len(quick)))
        assert torch.equal(lazy.pictures(some), quick.pictures(some))
    seeds = [torch.Generator().manual_seed(3) for _ in range(2)]
    every = torch.arange(len(held.train))
    lazy, quick = data.train.batch(every, seeds[0]), held.train.batch(every, seeds[1])
    assert torch.equal(lazy[0], quick[0])


def test_a_broken_file_is_named_while_serving(tree, monkeypatch):
    monkeypatch.setattr("engine.data.image_folder.LARGEST", 100)
    (tree / "test" / "dog" / "03.png").write_bytes(b"broken")
    data = load(tree)
    with pytest.raises(InputError, match=r"03\.png cannot be read"):
        list(data.test.batches(4))


def test_decoding_shows_progress_and_stops_when_asked(tree):
    control, events = Control(), []

    def emit(event):
        events.append(event)
        if isinstance(event, Progressed) and event.label == "Decoding images":
            control.stop()

    with pytest.raises(Stopped):
        load(tree, Monitor(emit, control))
    assert any(
        isinstance(e, Progressed) and e.label == "Listing images" for e in events
    )
