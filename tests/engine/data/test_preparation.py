"""Normalisation, resizing and augmentation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.preparation import Preparation, augmented, resized
from engine.errors import InputError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_inputs_are_scaled_then_normalised_per_channel():
    prepare = Preparation((3, 2, 2), 255.0, (0.5, 0.0, 0.25), (0.5, 1.0, 2.0))
    images = torch.full((4, 3, 2, 2), 255, dtype=torch.uint8)
    inputs = prepare(images, None)
    assert inputs.shape == (4, 3, 2, 2) and inputs.dtype == torch.float32
    assert torch.allclose(inputs[:, :, 0, 0], torch.tensor([1.0, 1.0, 0.375]))
    assert images.min() == 255  # what is stored never changes


def test_float_images_are_not_changed_in_place():
    images = torch.ones(2, 1, 2, 2)
    Preparation((1, 2, 2), 1.0, (0.5,), (0.5,))(images, None)
    assert images.eq(1).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_one_value_serves_all_channels(channels):
    one = Preparation((channels, 2, 2), 255.0, (0.3,), (0.2,))
    all_ = Preparation((channels, 2, 2), 255.0, (0.3,) * channels, (0.2,) * channels)
    images = torch.randint(0, 256, (5, channels, 2, 2), dtype=torch.uint8)
    assert torch.equal(one(images, None), all_(images, None))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": (0.1, 0.2)}, "data.mean has 2 values, the inputs have 3 channels"),
        ({"mean": ()}, "data.mean has 0 values"),
        ({"std": (1.0,) * 4}, "data.std has 4 values"),
        ({"std": (0.0,)}, "must be positive"),
        ({"std": (1.0, -1.0, 1.0)}, "must be positive"),
        ({"channels": 1}, "3 channels cannot become 1"),
        ({"raw": (12,), "augment": "flip"}, "data.augment needs images"),
        ({"raw": (12,), "size": 8}, "data.size needs images"),
        ({"raw": (12,), "channels": 3}, "data.channels needs images"),
        ({"raw": (12,), "mean": (1.0, 2.0)}, "the inputs have 12 features"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    fits = {"raw": (3, 8, 8), "scale": 255.0, "mean": (0.5,), "std": (0.5,)}
    with pytest.raises(InputError, match=message):
        Preparation(**fits | changes)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (1, 6, 8)),
        ({"channels": 3}, (3, 6, 8)),
        ({"size": 4}, (1, 4, 4)),
        ({"size": 12, "channels": 3}, (3, 12, 12)),
        ({"size": 4, "flatten": True}, (16,)),
        ({"channels": 3, "flatten": True}, (144,)),
    ],
)
def test_the_promised_shape_is_the_shape_that_comes(options, shape):
    prepare = Preparation((1, 6, 8), 255.0, (0.5,), (0.5,), **options)
    images = torch.randint(0, 256, (2, 1, 6, 8), dtype=torch.uint8)
    assert prepare.shape == shape
    assert prepare(images, None).shape == (2, *shape)


def test_a_grey_channel_is_repeated():
    prepare = Preparation((1, 2, 2), 255.0, (0.0,), (1.0,), channels=3)
    inputs = prepare(torch.randint(0, 256, (2, 1, 2, 2), dtype=torch.uint8), None)
    assert torch.equal(inputs[:, 0], inputs[:, 2])


def test_vectors_are_normalised_and_never_reshaped():
    prepare = Preparation((3,), 1.0, (1.0, 2.0, 3.0), (1.0,))
    assert prepare(torch.tensor([[1.0, 2.0, 4.0]]), None).tolist() == [[0.0, 0.0, 1.0]]


def test_resizing_keeps_the_middle():
    images = torch.zeros(1, 1, 4, 8)
    images[..., 2:6] = 1
    assert resized(images, 4).eq(1).all()


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["flip", "crop", "crop_flip"]),
    seed=st.integers(0, 2**31),
    count=st.integers(1, 9),
    height=st.integers(2, 12),
    width=st.integers(2, 12),
)
def test_the_seed_decides_the_augmentation(kind, seed, count, height, width):
    images = torch.randint(0, 256, (count, 2, height, width), dtype=torch.uint8)
    once = augmented(images, kind, generator(seed))
    assert torch.equal(once, augmented(images, kind, generator(seed)))
    assert once.shape == images.shape and once.dtype == torch.uint8


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.integers(4, 20))
def test_each_crop_is_a_window_of_the_padded_image(seed, size):
    images = (
        torch.arange(1, size * size + 1.0).reshape(1, 1, size, size).repeat(6, 1, 1, 1)
    )
    pad = max(1, round(size / 8))
    padded = torch.nn.functional.pad(images[0, 0], (pad,) * 4)
    windows = padded.unfold(0, size, 1).unfold(1, size, 1).reshape(-1, size, size)
    for crop in augmented(images, "crop", generator(seed))[:, 0]:
        assert (windows == crop).all(dim=(1, 2)).any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_each_flip_is_the_image_or_its_mirror(seed):
    images = torch.rand(8, 3, 4, 5)
    for before, after in zip(
        images, augmented(images, "flip", generator(seed)), strict=True
    ):
        assert torch.equal(after, before) or torch.equal(after, before.flip(-1))


def test_images_of_a_batch_are_augmented_apart():
    images = torch.rand(1, 1, 8, 8).repeat(64, 1, 1, 1)
    assert len(augmented(images, "crop_flip", generator()).unique(dim=0)) > 10


def test_a_crop_shifts_digits_by_one_pixel_and_cifar_by_four():
    for size, pad in ((8, 1), (28, 4), (32, 4)):
        images = torch.ones(400, 1, size, size)
        crops = augmented(images, "crop", generator())
        black = crops.eq(0).all(dim=3).sum(dim=2).max()  # whole black rows
        assert black == pad


def test_nothing_is_augmented_without_a_generator():
    prepare = Preparation((1, 8, 8), 255.0, (0.0,), (1.0,), augment="crop_flip")
    images = torch.randint(0, 256, (16, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(prepare(images, None), images / 255)
    assert not torch.equal(prepare(images, generator()), images / 255)


def test_undoing_gives_the_images_back():
    stored = torch.randint(0, 256, (3, 3, 4, 5), dtype=torch.uint8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    for flatten in (False, True):
        prepare = Preparation((3, 4, 5), 255.0, mean, std, flatten=flatten)
        found = prepare.undone(prepare(stored, None))
        assert torch.allclose(found, stored / 255, atol=1e-5)


def test_undoing_stretches_what_is_no_share_and_leaves_vectors():
    stored = torch.tensor([-2.0, 0.0, 2.0, 6.0]).reshape(1, 1, 2, 2)
    plain = Preparation((1, 2, 2), 1.0, (0.0,), (1.0,))
    found = plain.undone(plain(stored, None)).flatten().tolist()
    assert found == pytest.approx([0, 0.25, 0.5, 1])
    assert Preparation((4,), 1.0, (0.0,), (1.0,)).undone(torch.zeros(1, 4)) is None
