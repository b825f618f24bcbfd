"""The built-in digits."""

import time

import pytest
import torch

from engine.data.digits import Digits
from engine.errors import InputError
from engine.monitor import Monitor

CPU = torch.device("cpu")


def load(seed=0, **settings):
    return Digits(**settings).load(CPU, seed, Monitor())


def inputs(split):
    return split.batch(torch.arange(len(split)))[0]


def test_it_is_described_before_it_is_read():
    began = time.perf_counter()
    spec = Digits().describe()
    assert time.perf_counter() - began < 0.1
    assert spec.shape == (1, 8, 8) and spec.classes == tuple("0123456789")


def test_the_splits_hold_every_image_once():
    data = load()
    assert len(data.train) + len(data.validation) + len(data.test) == 1797
    assert 340 < len(data.test) < 380 and 130 < len(data.validation) < 160
    for split in (data.train, data.validation, data.test):
        shares = torch.bincount(split.labels) / len(split)
        assert shares.sub(0.1).abs().max() < 0.015


def test_the_seed_moves_validation_and_never_the_test_set():
    first, same, other = load(0), load(0), load(1)
    assert torch.equal(inputs(first.test), inputs(other.test))
    assert torch.equal(inputs(first.validation), inputs(same.validation))
    assert not torch.equal(inputs(first.validation), inputs(other.validation))


def test_inputs_are_about_standardised():
    every = inputs(load().train)
    assert abs(float(every.mean())) < 0.02 and abs(float(every.std()) - 1) < 0.02


def test_no_validation_share_means_no_validation_images():
    data = load(validation=0.0)
    assert len(data.validation) == 0 and len(data.validation.batches(8)) == 0
    assert list(data.validation.batches(8)) == []


def test_flattened_digits_are_vectors():
    data = load(flatten=True)
    assert data.spec.shape == Digits(flatten=True).describe().shape == (64,)
    assert inputs(data.test).shape[1:] == (64,)


def test_a_wrong_mean_is_told_before_loading():
    with pytest.raises(InputError, match=r"data\.mean has 3 values"):
        Digits(mean=(0.1, 0.2, 0.3)).describe()
