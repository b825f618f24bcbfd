"""The shipped demo network does what it is shipped for."""

import pytest
import torch

from engine.data.base import DataSpec
from engine.data.digits import Digits
from engine.errors import InputError
from engine.models.demo import WEIGHTS, Demo
from engine.models.load import load_model
from engine.monitor import Monitor


@torch.no_grad()
def test_it_reads_digits_it_was_not_trained_on():
    dataset = Digits()
    events = []
    model = load_model(Demo(), dataset.describe(), frozenset(), Monitor(events.append))
    test = dataset.load(torch.device("cpu"), 0, Monitor()).test
    right = sum(int((model(x).argmax(1) == y).sum()) for x, y in test.batches(128))
    assert right / len(test) > 0.98
    assert [type(event).__name__ for event in events] == ["CheckpointLoaded"]
    assert not model.training


def test_it_is_small():
    assert WEIGHTS.stat().st_size < 400_000


def test_other_data_are_refused():
    spec = DataSpec("cifar10", (3, 32, 32), tuple("0123456789"))
    with pytest.raises(InputError, match="made for the digits"):
        Demo().build(spec, frozenset())
