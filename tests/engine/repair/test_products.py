"""Products of what a layer sees and should give, against float64 from end to end."""

import pytest
import torch
from torch import nn

from engine.repair import products as pieces
from engine.repair.products import choose, products
from tests.reference import layer_inputs


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(6, 5), (300, 6)),
        (nn.Conv2d(4, 6, 3, padding=1, groups=2, bias=False), (20, 4, 5, 5)),
    ],
    ids=["linear", "grouped"],
)
def test_a_float32_layer_has_the_products_of_float64(monkeypatch, layer, shape):
    """Inputs far from zero, where float32 products lose what tells them apart."""
    monkeypatch.setattr(pieces, "PIECE", 64)
    images = torch.randn(shape) + 100
    with torch.no_grad():
        outputs = layer(images)
        target = choose(layer, outputs, 10**6, torch.Generator())
        gram, cross, square = products(layer, images, target)
    x = layer_inputs(layer, images.double())
    groups, positions, _ = x.shape
    linear = isinstance(layer, nn.Linear)
    rows = (outputs if linear else outputs.movedim(1, -1)).double()
    wanted = rows.reshape(positions, -1)
    if layer.bias is not None:
        wanted = wanted - layer.bias.detach().double()
    t = wanted.reshape(positions, groups, -1).transpose(0, 1)
    exact = {"rtol": 1e-12, "atol": 0.0}
    torch.testing.assert_close(gram, x.mT @ x, **exact)
    torch.testing.assert_close(cross, t.mT @ x, rtol=1e-10, atol=1e-8)
    assert square == pytest.approx(float(t.square().sum()), rel=1e-12)
