"""torchvision's networks by name."""

import pytest
import torch

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.models.load import check_fit, load_model
from engine.models.torchvision import Torchvision
from engine.monitor import Monitor


def spec(classes=4, shape=(3, 64, 64)):
    return DataSpec("x", shape, tuple(str(n) for n in range(classes)))


@pytest.mark.parametrize("name", ["squeezenet1_1", "MobileNet_V3_small", "googlenet"])
def test_networks_have_an_output_per_class(name):
    model = load_model(Torchvision(name=name), spec(), frozenset(), Monitor())
    model.train()
    assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 4)  # a plain tensor


def test_an_unknown_name_suggests_near_ones():
    with pytest.raises(
        InputError, match="no classification network 'resnet19'"
    ) as caught:
        Torchvision(name="resnet19").build(spec(), frozenset())
    assert "resnet18" in caught.value.hint
    with pytest.raises(InputError, match="'fcn_resnet50'"):  # segments, not classifies
        Torchvision(name="fcn_resnet50").build(spec(), frozenset())
    with pytest.raises(InputError, match="''"):
        Torchvision(name="").build(spec(), frozenset())


def test_grey_images_and_vectors_are_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"1 channel") as caught:
        Torchvision().build(spec(shape=(1, 28, 28)), frozenset())
    assert "data.channels=3" in caught.value.hint
    with pytest.raises(InputError, match="vectors of 64"):
        Torchvision().build(spec(shape=(64,)), frozenset())


def test_published_weights_tell_a_thousand_classes_apart():
    with pytest.raises(InputError, match="tells 1000 classes apart, the data 4"):
        Torchvision(weights="published").build(spec(), frozenset())


def test_a_failed_download_is_told(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", offline)
    source = Torchvision(name="squeezenet1_1", weights="published")
    with pytest.raises(
        InputError, match="cannot be fetched: no route to host"
    ) as caught:
        source.build(spec(1000), frozenset())
    assert "model.checkpoint" in caught.value.hint


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_published_weights_come_without_auxiliary_classifiers(name, monkeypatch):
    from torchvision import models

    full = models.get_model(name, weights=None, aux_logits=True, init_weights=False)
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url",
        lambda *args, **kwargs: full.state_dict(),
    )
    network = Torchvision(name=name, weights="published").build(spec(1000), frozenset())
    assert not any("aux" in key.lower() for key in network.state_dict())
    right = full.state_dict()["fc.weight"]
    assert torch.equal(network.state_dict()["fc.weight"], right)


def test_images_too_small_for_the_network_suggest_a_size():
    small = spec(shape=(3, 8, 8))
    network = Torchvision(name="squeezenet1_1").build(small, frozenset())
    with pytest.raises(InputError, match="does not accept inputs") as caught:
        check_fit(network.eval(), small)
    assert "data.size to 28" in caught.value.hint
