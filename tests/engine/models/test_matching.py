"""Keys of a checkpoint meet keys of a network."""

import pytest
import torch
from torch import nn

from engine.errors import InputError
from engine.events import CheckpointLoaded, Noticed
from engine.models.matching import load_checkpoint, match
from engine.models.resnet_cifar import CifarResNet
from engine.monitor import Monitor


def network(classes=10, shortcut="conv"):
    return CifarResNet(3, classes, 1, shortcut, widths=(4, 8, 16))


@pytest.fixture
def state():
    """Weights of a network, and random running statistics."""
    torch.manual_seed(1)
    found = network().state_dict()
    return {
        k: torch.rand_like(v) if v.is_floating_point() else v for k, v in found.items()
    }


@pytest.fixture
def load(tmp_path):
    """Saves a state, loads it into a network and gives the events."""

    def do(state, model, partial=False):
        events = []
        torch.save(state, tmp_path / "weights.pth")
        load_checkpoint(
            model, tmp_path / "weights.pth", partial, Monitor(events.append)
        )
        return events

    return do


def same(model, state):
    return all(torch.equal(v, state[k]) for k, v in model.state_dict().items())


def test_equal_keys_are_loaded_quietly(load, state):
    model = network()
    (event,) = load(state, model)
    assert same(model, state)
    assert isinstance(event, CheckpointLoaded) and event.matched == len(state)
    assert event.renamed == event.missing == event.unexpected == event.misshaped == ()


@pytest.mark.parametrize(
    "rename",
    [
        lambda key: f"module.{key}",
        lambda key: f"_orig_mod.{key}",
        lambda key: f"module._orig_mod.{key}",
        lambda key: f"model.{key}",
        lambda key: f"net.module.{key}",
        lambda key: key.replace("layer1.", "layer1._orig_mod."),
        lambda key: key.replace("downsample", "shortcut").replace("fc", "linear"),
        lambda key: "module." + key.replace("downsample", "shortcut"),
        lambda key: key.replace("fc", "classifier"),
    ],
)
def test_known_renames_are_made_and_shown(load, state, rename):
    model = network()
    (event,) = load({rename(key): value for key, value in state.items()}, model)
    assert same(model, state)
    changed = [f"{rename(key)} -> {key}" for key in state if rename(key) != key]
    assert sorted(event.renamed) == sorted(changed) and changed


def test_equal_order_and_shapes_do_not_make_a_match(load, state):
    renamed = {f"stage_{number}": value for number, value in enumerate(state.values())}
    for partial in (False, True):
        with pytest.raises(InputError, match="is of another network"):
            load(renamed, network(), partial)


def test_another_networks_checkpoint_lists_everything(load, state):
    model = network(shortcut="pad")
    before = {k: v.clone() for k, v in model.state_dict().items()}
    del state["layer1.0.bn1.running_mean"]
    state["conv1.weight"] = torch.ones(4, 3, 5, 5)
    with pytest.raises(
        InputError, match="1 missing, 1 of another shape, 12 une"
    ) as caught:
        load(state, model)
    details = caught.value.details
    assert "missing: layer1.0.bn1.running_mean" in details
    assert "other shape: conv1.weight: 4x3x5x5 in the file, 4x3x3x3 needed" in details
    assert sum(line.startswith("unexpected: ") for line in details) == 12
    assert same(model, before)


def test_missing_weights_may_be_allowed(load, state):
    del state["fc.bias"]
    with pytest.raises(InputError, match="1 missing"):
        load(state, network())
    model = network()
    bias = model.fc.bias.clone()
    first, second = load(state, model, partial=True)
    assert first.missing == ("fc.bias",) and "fc.bias" in second.message
    assert torch.equal(model.fc.bias, bias) and same(model, state | {"fc.bias": bias})


def test_wrong_shapes_are_never_allowed(load, state):
    state["conv1.weight"] = torch.ones(4, 1, 3, 3)
    with pytest.raises(InputError, match="1 of another shape"):
        load(state, network(), partial=True)


def test_batch_counters_may_be_missing(load, state):
    few = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    (event,) = load(few, network())
    assert event.missing == ()


def test_other_entries_are_told(load, state):
    first, second = load(state | {"aux.weight": torch.ones(2)}, network())
    assert first.unexpected == ("aux.weight",)
    assert isinstance(second, Noticed) and "aux.weight" in second.message


def test_another_class_count_is_told_as_such(load, state):
    with pytest.raises(InputError, match="classifier has 10 classes, the data 7"):
        load(state, network(classes=7))


def test_tied_weights_may_be_stored_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 3)
            self.last.weight = self.first.weight

    tensors = {k: v for k, v in Tied().state_dict().items() if k != "last.weight"}
    assert match(Tied(), tensors).missing == ()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_converted_and_told(load, state, dtype):
    model = network()
    other = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
    _, notice = load(other, model)
    assert str(dtype).removeprefix("torch.") in notice.message
    assert model.conv1.weight.dtype == torch.float32
    assert torch.allclose(model.conv1.weight, state["conv1.weight"], atol=1e-2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_no_numbers_are_refused(load, state, value):
    wrong = state["layer2.0.conv1.weight"].double()
    wrong[0, 0, 0, 0] = value
    with pytest.raises(InputError, match=r"layer2\.0\.conv1\.weight .* not finite"):
        load(state | {"layer2.0.conv1.weight": wrong}, network())


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64])
def test_weights_of_another_sort_are_refused(load, state, dtype):
    with pytest.raises(InputError, match=r"stores fc\.weight as (int8|complex64)"):
        load(state | {"fc.weight": state["fc.weight"].to(dtype)}, network())


def test_weights_kept_with_masks_are_told(load, state):
    mask = torch.ones(10, 16)
    mask[:, :4] = 0
    kept = {k: v for k, v in state.items() if k != "fc.weight"}
    pair = {"fc.weight_orig": state["fc.weight"], "fc.weight_mask": mask}
    model = network()
    _, notice = load(kept | pair, model)
    assert "masks" in notice.message and "fc.weight" in notice.message
    assert torch.equal(model.fc.weight, state["fc.weight"] * mask)


def test_a_choice_among_several_weights_is_told(load, state):
    model = network()
    _, notice = load({"ema": state, "model": state, "epoch": 1}, model)
    assert "under model" in notice.message and "ema" in notice.hint
