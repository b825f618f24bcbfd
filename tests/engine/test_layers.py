"""The layer table: what is listed, what it costs, what can be pruned."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from engine.covering import covers
from engine.layers import (
    parameter_count,
    survey,
    total_macs,
    unmatched,
)


@pytest.fixture(autouse=True, params=[0, 10**9], ids=["shapes", "real"])
def kind_of_pass(request, monkeypatch):
    """Everything holds for a pass of shapes alone and for a real one."""
    monkeypatch.setattr("engine.macs.LARGE", request.param)


def table(model, shape, exclude=()):
    return {layer.name: layer for layer in survey(model.eval(), shape, exclude)}


def test_costs_of_convolutions_and_linear_layers():
    model = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=False),
        nn.BatchNorm2d(6),
        nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2),
        nn.Flatten(2),
        nn.Linear(64, 5),
    )
    layers = table(model, (4, 8, 8))
    assert list(layers) == [f"{n}.weight" for n in (0, 1, 2, 4)]
    assert layers["0.weight"].macs == 16 * 6 * 2 * 9  # places, outputs, inputs, kernel
    assert layers["2.weight"].macs == 16 * 6 * 2 * 4
    assert layers["4.weight"].macs == 4 * 64 * 5  # each of four rows
    assert layers["1.weight"].macs == 0
    assert total_macs(layers.values()) == 1728 + 768 + 1280
    assert (
        layers["0.weight"].shape == (6, 2, 3, 3) and layers["0.weight"].weights == 108
    )
    assert layers["0.weight"].kind == "Conv2d"
    norm = layers["1.weight"]
    assert (norm.status, norm.reason) == ("excluded", "normalisation is never pruned")


@pytest.mark.parametrize(
    ("kind", "shape"), [(nn.Conv1d, (2, 9)), (nn.Conv3d, (2, 5, 5, 5))]
)
def test_convolutions_of_other_dimensions(kind, shape):
    layer = table(kind(2, 3, 3), shape)["weight"]
    places = 7 if kind is nn.Conv1d else 27
    assert layer.status == "prunable" and layer.macs == places * layer.weights


class Attention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True, **options)
        self.wide = nn.Linear(8, options.get("kdim", 8))

    def forward(self, x):
        keys = self.wide(x[:, :3])
        return self.mix(x, keys, value=keys, need_weights=False)[0]


def test_costs_of_packed_attention():
    layers = table(Attention(), (5, 8))
    packed, out = layers["mix.in_proj_weight"], layers["mix.out_proj.weight"]
    assert packed.macs == (5 + 3 + 3) * 64 and out.macs == 5 * 64
    assert packed.status == out.status == "prunable"
    assert (packed.kind, out.kind) == ("MultiheadAttention", "Linear")


def test_costs_of_separate_attention():
    layers = table(Attention(kdim=4, vdim=4), (5, 8))
    assert layers["mix.q_proj_weight"].macs == 5 * 64
    assert layers["mix.k_proj_weight"].macs == 3 * 32
    assert layers["mix.v_proj_weight"].status == "prunable"


def test_a_transformer_layer_is_measured_in_eval_mode():
    layers = table(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (5, 8))
    assert layers["linear1.weight"].macs == 5 * 8 * 16
    assert layers["self_attn.in_proj_weight"].macs == 3 * 5 * 64


class Oddities(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 4))
        self.scale = nn.Parameter(torch.ones(4))
        self.steady = weight_norm(nn.Linear(4, 4))
        self.memory = nn.LSTM(4, 4, batch_first=True)
        self.lookup, self.bag = nn.Embedding(3, 4), nn.EmbeddingBag(3, 4)
        self.whole = nn.Parameter(
            torch.ones(2, 2, dtype=torch.int8), requires_grad=False
        )
        self.wave = nn.Linear(4, 4, dtype=torch.complex64)
        self.later = nn.LazyLinear(4)
        self.bent = nn.PReLU(4)
        self.end = nn.Linear(4, 2)

    def forward(self, x):
        return self.end(self.memory(self.steady(x * self.scale + self.token))[0][:, -1])


def test_what_cannot_be_pruned_says_why():
    layers = table(Oddities(), (3, 4))
    reasons = {n: x.reason for n, x in layers.items() if x.status == "unsupported"}
    assert set(layers) - set(reasons) == {"end.weight", "lookup.weight"}
    assert "token of Oddities" in reasons["token"]
    assert "original1 of" in reasons["steady.parametrizations.weight.original1"]
    assert "recurrent" in reasons["memory.weight_ih_l0"]
    assert "embedding" in reasons["bag.weight"]
    assert "int8" in reasons["whole"] and "complex64" in reasons["wave.weight"]
    assert "not initialised" in reasons["later.weight"]
    assert "PReLU" in reasons["bent.weight"]
    assert "scale" not in layers  # a vector that is nobody's weight


class Tied(nn.Module):
    def __init__(self, first):
        super().__init__()
        self.first = first
        self.middle = nn.Linear(6, 6)
        self.last = nn.Linear(6, 6, bias=False)
        self.last.weight = self.first.weight

    def forward(self, x):
        return self.last(self.middle(self.first(x)))


def test_shared_weights_are_listed_once():
    model = Tied(nn.Linear(6, 6))
    layers = table(model, (6,))
    assert list(layers) == ["first.weight", "middle.weight"]
    shared = layers["first.weight"]
    assert shared.macs == 72 and shared.reason == "shared with last.weight"
    assert shared.status == "prunable"
    assert parameter_count(model) == 36 + 6 + 36 + 6
    either = table(model, (6,), ("last",))["first.weight"]
    assert either.status == "excluded"


def test_a_layer_used_twice_costs_twice():
    linear = nn.Linear(4, 4)
    model = nn.Sequential(linear, nn.ReLU(), linear, nn.BatchNorm1d(4))
    assert table(model, (4,))["0.weight"].macs == 32
    tensors = [*model.parameters(), *model.buffers()]
    assert all(tensor.device.type == "cpu" for tensor in tensors)


def test_zeros_are_counted():
    model = nn.Linear(4, 3)
    model.weight.data[1] = 0
    model.weight.data[0, 0] = -0.0
    assert table(model, (4,))["weight"].zeros == 5


class Functional(nn.Module):
    """Takes its weights out of their layers, and computes one from a parameter."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 6)
        self.conv = nn.Conv1d(2, 3, 1)
        self.plain = nn.Parameter(torch.ones(5, 6))
        self.steady = Standardised(3, 2, 1)

    def forward(self, x):
        x = nn.functional.linear(x, weight=self.fc.weight)
        x = nn.functional.conv1d(x, self.conv.weight)
        return nn.functional.linear(self.steady(x), self.plain).sum(1)


class Standardised(nn.Conv1d):
    def forward(self, x):
        return nn.functional.conv1d(x, self.weight - self.weight.mean())


def test_weights_used_outside_their_layers_cost_the_same():
    layers = table(Functional(), (2, 4))
    costs = {name: layer.macs for name, layer in layers.items()}
    assert costs == {
        "plain": 2 * 30,
        "fc.weight": 2 * 24,
        "conv.weight": 6 * 6,
        "steady.weight": 6 * 6,
    }


class Fussy(nn.Module):
    """Looks at values, which tensors without arithmetic do not have."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x * 2) if float(x.sum()) >= 0 else self.fc(x)


def test_a_network_that_looks_at_values_is_measured_too():
    model = Fussy()
    assert table(model, (4,))["fc.weight"].macs == 8
    assert model.fc.weight.device.type == "cpu" and not model.fc._forward_hooks


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ("layer1.0.conv1.weight", True),
        ("layer1.0.conv1", True),
        ("layer1", True),
        ("layer1.0", True),
        ("layer?", True),
        ("*.conv1", True),
        ("*.conv1.*", True),
        ("*", True),
        ("layer", False),
        ("layer1.0.conv", False),
        ("conv1", False),
        ("Layer1", False),
        ("", False),
    ],
)
def test_patterns(pattern, hit):
    assert covers(pattern, "layer1.0.conv1.weight") is hit


def test_excluded_layers_name_their_pattern_and_mistyped_ones_are_told():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    layers = survey(model, (4,), ("1", "fc.*"))
    assert [layer.status for layer in layers] == ["prunable", "excluded"]
    assert layers[1].reason == "excluded by 1"
    assert unmatched(("1", "fc.*", "0.weight"), layers) == ("fc.*",)


def test_no_layers_make_an_empty_table():
    assert survey(nn.Flatten(), (4,), ()) == ()
