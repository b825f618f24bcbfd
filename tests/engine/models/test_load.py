"""From a model source to a network that fits the data, or a sentence why not."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.events import CheckpointLoaded, Noticed
from engine.layers import survey
from engine.models.file import File
from engine.models.load import check_fit, load_model
from engine.models.resnet_cifar import ResnetCifar
from engine.monitor import Monitor

VECTORS = DataSpec("x", (12,), ("a", "b", "c"))
IMAGES = DataSpec("x", (1, 3, 4), ("a", "b", "c"))


@pytest.fixture
def load(tmp_path):
    """Loads a network written as the body of `build` and gives it with the events."""

    def do(body, spec, **settings):
        path = tmp_path / "net.py"
        path.write_text(
            "import torch\nfrom torch import nn\n"
            "class Call(nn.Module):\n"
            "    def __init__(self, do, inner):\n"
            "        super().__init__()\n"
            "        self.do, self.inner = do, inner\n"
            "    def forward(self, x):\n"
            "        return self.do(self.inner(x))\n"
            f"def build():\n    return {body}\n"
        )
        trust = frozenset({hashlib.sha256(path.read_bytes()).hexdigest()})
        events = []
        source = File(file=str(path), **settings)
        network = load_model(source, spec, trust, Monitor(events.append))
        check_fit(network, spec)
        return network, events

    return do


def test_a_network_without_a_checkpoint_says_so(load):
    model, (notice,) = load("nn.Linear(12, 3)", VECTORS)
    assert isinstance(notice, Noticed) and "No checkpoint" in notice.message
    assert not model.training


def test_a_checkpoint_is_loaded_and_told(load, tmp_path):
    weights = nn.Linear(12, 3).state_dict()
    save_file(weights, tmp_path / "w.safetensors")
    checkpoint = str(tmp_path / "w.safetensors")
    model, (event,) = load("nn.Linear(12, 3)", VECTORS, checkpoint=checkpoint)
    assert event == CheckpointLoaded(checkpoint, 2, time=event.time)
    assert torch.equal(model.weight, weights["weight"])


def test_lazy_layers_take_their_shape_from_the_data(load):
    model, _ = load("nn.Sequential(nn.Flatten(), nn.LazyLinear(3))", IMAGES)
    assert model[1].weight.shape == (3, 12)
    assert survey(model, IMAGES.shape, ())[0].status == "prunable"


def test_other_precisions_become_float32(load):
    model, events = load("nn.Linear(12, 3).double()", VECTORS)
    assert model.weight.dtype == torch.float32
    assert "converted to float32" in events[0].message


@pytest.mark.parametrize(
    ("body", "spec", "message", "hint"),
    [
        ("nn.Linear(12, 5)", VECTORS, "tells 5 classes apart, the data have 3", "data"),
        ("nn.Linear(12, 1)", VECTORS, "tells 1 classes apart", ""),
        ("nn.Linear(12, 3)", IMAGES, r"shape \(1, 3, 4\)", "data.flatten to true"),
        (
            "nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(4, 3))",
            VECTORS, r"inputs of shape \(12,\)", "data.flatten to false",
        ),
        (
            "nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())",
            IMAGES, "does not accept", "data.channels to 3",
        ),
        (
            "nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(1024, 3))",
            IMAGES, "does not accept", "data.size to 32",
        ),
        ("nn.Conv2d(1, 3, 1)", IMAGES, r"returns shape \(2, 3, 3, 4\)", "one row"),
        ("Call(lambda y: (y, y), nn.Linear(12, 3))", VECTORS, "returns a tuple", ""),
        ("Call(lambda y: {'y': y}, nn.Linear(12, 3))", VECTORS, "returns a dict", ""),
        ("Call(lambda y: y[:1], nn.Linear(12, 3))", VECTORS, r"shape \(1, 3\)", ""),
        ("Call(lambda y: 1 / 0, nn.Linear(12, 3))", VECTORS, "division by zero", ""),
        (
            "nn.Linear(12, 3).requires_grad_(False).apply("
            "lambda m: m.weight.fill_(float('nan')))",
            VECTORS, "weight of the network .* not finite", "",
        ),
    ],
)  # fmt: skip
def test_networks_that_do_not_fit_the_data(load, body, spec, message, hint):
    with pytest.raises(InputError, match=message) as caught:
        load(body, spec)
    assert hint in caught.value.hint


def test_a_network_that_returns_log_probabilities_or_has_no_biases(load):
    body = "nn.Sequential(nn.Linear(12, 8, bias=False), nn.ReLU(), "
    body += "nn.Linear(8, 3, bias=False), nn.LogSoftmax(1))"
    model, _ = load(body, VECTORS)
    layers = survey(model, VECTORS.shape, ())
    assert [layer.name for layer in layers] == ["0.weight", "2.weight"]


def test_a_checkpoint_in_the_home_folder_is_found(load, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save(nn.Linear(12, 3).state_dict(), tmp_path / "w.pt")
    _, (event,) = load("nn.Linear(12, 3)", VECTORS, checkpoint="~/w.pt")
    assert event.matched == 2


def test_a_deeper_network_is_another_network(tmp_path):
    spec = DataSpec("x", (3, 8, 8), tuple("0123456789"))
    torch.save(
        ResnetCifar(depth=32).build(spec, frozenset()).state_dict(), tmp_path / "a.pt"
    )
    source = ResnetCifar(checkpoint=str(tmp_path / "a.pt"))
    with pytest.raises(InputError, match="72 unexpected") as caught:
        load_model(source, spec, frozenset(), Monitor())
    assert "depth" in caught.value.hint
    some = source.model_copy(update={"partial": True})
    load_model(some, spec, frozenset(), Monitor())
