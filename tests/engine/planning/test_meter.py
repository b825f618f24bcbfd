"""Live bytes of a pass, counted by hand."""

import torch
from torch import nn

from engine.planning import meter


def chain() -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(100, 100, bias=False) for _ in range(5)))


def forward(net, images):
    with torch.no_grad():
        net(images)


def test_a_forward_pass_holds_two_activations_and_the_images():
    row = 8 * 100 * 4
    assert meter.peak(chain(), (100,), 8, forward) == 3 * row


def test_a_backward_pass_adds_activations_and_gradients():
    found = meter.peak(chain(), (100,), 8, lambda net, x: net(x).sum().backward())
    least = 5 * 100 * 100 * 4 + 8 * 100 * 4
    assert least < found < least + 10 * 8 * 100 * 4


def test_the_network_stays_as_it_is():
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    meter.peak(net, (4,), 8, lambda given, x: given(x).sum().backward())
    assert all(torch.equal(before[n], v) for n, v in net.state_dict().items())
    assert all(weight.grad is None for weight in net.parameters())


class Peeks(nn.Module):
    """A network that looks at values, which meta tensors do not have."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(100, 100, bias=False)

    def forward(self, x):
        return self.inner(x) if float(x.sum()) == 0 else x


def test_a_network_that_looks_at_values_is_measured_on_a_few_images():
    found = meter.peak(Peeks(), (100,), 64, forward)
    assert 2 * 64 * 400 <= found <= 3 * 64 * 400
