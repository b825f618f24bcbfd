"""Times: the sparse product gives what the layer gives, and every layer is timed."""

import pytest
import torch
from torch import nn

import engine
from engine.looking.layer_times import (
    csr,
    has_sparse_product,
    sparse_product,
)
from engine.recipe import parse

QUICK = parse(
    {"estimator": {"kind": "magnitude"}, "machine": {"device": "cpu", "threads": 1}}
)
LAYERS = (
    (nn.Linear(7, 5), (3, 7)),
    (nn.Linear(7, 5, bias=False), (2, 4, 7)),
    (nn.Conv2d(4, 6, 3, padding=1), (2, 4, 8, 9)),
    (nn.Conv2d(4, 6, (3, 1), stride=2, dilation=(2, 1), padding=(0, 1)), (1, 4, 9, 8)),
    (nn.Conv2d(4, 6, 1, stride=2, bias=False), (3, 4, 7, 7)),
    (nn.Conv2d(4, 6, 3, padding="valid"), (2, 4, 8, 8)),
)


@pytest.mark.parametrize(("module", "shape"), LAYERS)
def test_a_sparse_product_is_the_layer(module, shape):
    module = module.double()
    assert has_sparse_product(module)
    with torch.no_grad():
        weight = module.weight
        weight[torch.rand(weight.shape) < 0.7] = 0
        x = torch.randn(shape, dtype=torch.float64)
        found = sparse_product(module, csr(weight), x)
        assert torch.allclose(found, module(x), rtol=1e-12, atol=1e-12)


def test_what_has_no_sparse_product_says_so():
    assert not has_sparse_product(nn.Conv2d(4, 4, 3, groups=2))
    assert not has_sparse_product(nn.Conv2d(4, 4, 3, padding_mode="reflect"))
    assert not has_sparse_product(nn.Conv1d(4, 4, 3))


def test_every_layer_is_timed_and_more_zeros_never_take_longer():
    study = engine.score(QUICK)
    seen = []
    times = engine.measure_times(QUICK, study, emit=seen.append)
    assert "ms dense" in seen[-1].message
    assert set(times.layers) == set(study.order) and times.images == 1
    assert "cpu" in times.device and times.rest >= 0
    for each in times.layers.values():
        falling = list(each.milliseconds)
        assert falling == sorted(falling, reverse=True)
        assert each.milliseconds[0] == each.dense > 0
        assert (each.gains_from is None) == (falling[-1] == each.dense)
    assert times.dense >= sum(each.dense for each in times.layers.values())
