"""How errors of a layer move the logits."""

import pytest
import torch
from torch import nn

from engine.loss import Loss
from engine.monitor import Monitor
from engine.repair.sensitivity import FLOOR, IMAGES, sensitivities
from tests.cases import Images


def measured(model, owners, images, loss):
    split = Images(images, torch.zeros(len(images), dtype=torch.int64))
    chosen, generator = torch.arange(len(images)), torch.Generator().manual_seed(0)
    return sensitivities(model, owners, split, chosen, loss, generator, Monitor())


@pytest.mark.parametrize("kind", ["logits", "log_probabilities", "probabilities"])
def test_the_last_layer_minds_every_class_alike_whatever_is_returned(kind):
    layer = nn.Linear(2, 3)
    ends = {"logits": nn.Identity(), "log_probabilities": nn.LogSoftmax(1)}
    model = nn.Sequential(layer, ends.get(kind, nn.Softmax(1)))
    images = torch.randn(IMAGES, 2)
    found = measured(model, {layer: "fc"}, images, Loss(kind))["fc"]
    centred = torch.eye(3) - 1 / 3
    wanted = centred / centred.diagonal().mean() + FLOOR * torch.eye(3)
    assert torch.allclose(found.float(), wanted, atol=0.15)  # 512 draws of signs


def test_a_channel_that_is_not_looked_at_does_not_matter():
    first, last = nn.Linear(2, 4), nn.Linear(4, 3)
    last.weight.data[:, 1] = 0
    model = nn.Sequential(first, last)
    found = measured(model, {first: "first"}, torch.randn(30, 2), Loss())["first"]
    exact = last.weight.detach().double()
    exact = exact - exact.mean(0)
    wanted = (exact.T @ exact).diagonal()
    assert float(found[1, 1]) == pytest.approx(FLOOR)
    assert torch.allclose(
        found.diagonal() - FLOOR, wanted / wanted.mean(), rtol=0.6, atol=0.1
    )


def test_every_layer_gets_one():
    first, last = nn.Conv2d(2, 4, 3), nn.Linear(36, 3)
    model = nn.Sequential(first, nn.ReLU(inplace=True), nn.Flatten(), last)
    owners = {first: "first", last: "last"}
    found = measured(model, owners, torch.randn(20, 2, 5, 5), Loss())
    assert {name: len(m) for name, m in found.items()} == {"first": 4, "last": 3}
    for matrix in found.values():
        assert float(torch.linalg.eigvalsh(matrix).min()) >= FLOOR * 0.99
