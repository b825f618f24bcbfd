"""Output covariances from drawn labels."""

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


def test_of_logits_it_is_the_covariance_of_a_drawn_class():
    layer = nn.Linear(2, 3)
    images = torch.ones(IMAGES, 2)
    p = layer(images[:1]).softmax(1)[0].double().detach()
    exact = p.diag() - torch.outer(p, p)
    found = measured(layer, {layer: "fc"}, images, Loss())["fc"]
    wanted = exact / exact.diagonal().mean() + FLOOR * torch.eye(3).double()
    assert torch.allclose(found, wanted, atol=0.15)  # 1 / sqrt(512) per entry


def test_every_layer_gets_one_and_outputs_may_be_probabilities():
    first, last = nn.Conv2d(2, 4, 3), nn.Linear(36, 3)
    model = nn.Sequential(
        first, nn.ReLU(inplace=True), nn.Flatten(), last, nn.Softmax(1)
    )
    owners = {first: "first", last: "last"}
    found = measured(model, owners, torch.randn(20, 2, 5, 5), Loss("probabilities"))
    assert {name: len(m) for name, m in found.items()} == {"first": 4, "last": 3}
    for matrix in found.values():
        assert float(torch.linalg.eigvalsh(matrix).min()) >= FLOOR * 0.99
