"""CIFAR ResNets: their keys, shapes and both shortcuts."""

import pytest
import torch
from pydantic import ValidationError

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.models.resnet_cifar import PadShortcut, ResnetCifar

SPEC = DataSpec("x", (3, 32, 32), tuple("abcdefghij"))


def build(spec=SPEC, **settings):
    return ResnetCifar(**settings).build(spec, frozenset())


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_the_depth_counts_layers_with_weights(depth):
    keys = [key for key in build(depth=depth).state_dict() if key.endswith("weight")]
    counted = [k for k in keys if ".bn" not in k and "downsample" not in k]
    assert len([k for k in counted if not k.startswith("bn")]) == depth


def test_keys_and_sizes_of_depth_20():
    model = build()
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes["conv1.weight"] == (16, 3, 3, 3)
    assert shapes["layer1.2.bn2.bias"] == (16,)
    assert shapes["layer2.0.downsample.0.weight"] == (32, 16, 1, 1)
    assert shapes["layer3.0.downsample.1.weight"] == (64,)
    assert shapes["fc.weight"] == (10, 64)
    blocks = [n for n in shapes if n.startswith("layer") and ".conv" in n]
    assert len(blocks) == 18
    assert sum(model.get_parameter(n).numel() for n in blocks) == 267_264


def test_the_padded_shortcut_has_no_weights():
    keys = build(shortcut="pad").state_dict()
    assert not any("downsample" in key for key in keys)
    features = torch.arange(32.0).reshape(1, 2, 4, 4)
    wide = PadShortcut(2, 2)(features)
    assert wide.shape == (1, 4, 2, 2)
    assert torch.equal(wide[:, 1:3], features[:, :, ::2, ::2])
    assert wide[:, [0, 3]].eq(0).all()


@pytest.mark.parametrize("shortcut", ["conv", "pad"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 33, 17)])
def test_any_images_will_do(shortcut, shape):
    model = build(DataSpec("x", shape, tuple("abc")), shortcut=shortcut).eval()
    assert model(torch.zeros(2, *shape)).shape == (2, 3)


def test_vectors_and_other_depths_are_refused():
    with pytest.raises(InputError, match="takes images"):
        build(DataSpec("x", (64,), tuple("abc")))
    with pytest.raises(ValidationError):
        ResnetCifar(depth=21)
