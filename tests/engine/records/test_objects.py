"""Objects: tensors come back bit for bit, each is stored once, damage is told."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.records import objects as module
from engine.records.objects import Objects, names_in

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64)


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "objects")


@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 2, 5)])
@pytest.mark.parametrize("dtype", [*DTYPES, torch.bool])
def test_a_tensor_comes_back_bit_for_bit(objects, dtype, shape):
    tensor = (100 * torch.randn(shape)).to(dtype)
    back = objects.get_tensor(objects.put_tensor(tensor))
    assert back.dtype == dtype and back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_what_is_no_number_survives_as_well(objects):
    tensor = torch.tensor([math.nan, -math.inf, -0.0, 1e-42])
    back = objects.get_tensor(objects.put_tensor(tensor))
    assert torch.equal(back.view(torch.int32), tensor.view(torch.int32))


@given(bits=st.lists(st.booleans(), max_size=40))
def test_masks_of_any_length_survive(tmp_path_factory, bits):
    objects = Objects(tmp_path_factory.mktemp("masks") / "objects")
    mask = torch.tensor(bits, dtype=torch.bool)
    assert torch.equal(objects.get_tensor(objects.put_tensor(mask)), mask)


def test_a_content_is_stored_once_and_shapes_keep_apart(objects, tmp_path):
    tensor = torch.randn(6, 4)
    first = objects.put_tensor(tensor)
    written = objects.written
    assert objects.put_tensor(tensor.clone()) == first
    assert objects.written == written > 0
    assert objects.put_tensor(tensor.reshape(4, 6)) != first
    assert len(list((tmp_path / "objects").iterdir())) == 2


def test_a_pruned_weight_takes_its_mask_and_its_survivors(objects):
    mask = torch.rand(200, 100) < 0.1
    weight = torch.randn(200, 100) * mask
    state = {"model": {"a": weight, "b": torch.ones(3)}, "masks": {"a": mask}}
    packed = objects.pack(state, state["masks"])
    assert set(packed["model"]["a"]) == {"$values", "$mask"}
    assert packed["masks"]["a"]["$tensor"] == packed["model"]["a"]["$mask"]
    assert objects.written < 4 * int(mask.sum()) + mask.numel() // 8 + 600
    back = objects.unpack(packed)
    assert torch.equal(back["model"]["a"], weight)
    assert torch.equal(back["masks"]["a"], mask)
    assert len(names_in(packed)) == 3


def test_a_weight_that_its_mask_does_not_describe_is_kept_whole(objects):
    mask = torch.tensor([True, False])
    state = {"model": {"a": torch.tensor([1.0, 2.0])}}
    packed = objects.pack(state, {"a": mask})
    assert set(packed["model"]["a"]) == {"$tensor"}
    assert torch.equal(objects.unpack(packed)["model"]["a"], torch.tensor([1.0, 2.0]))


def test_plain_values_keep_their_kinds(objects):
    state = {"a": [1, 2.5, None, "x", True], "b": (1, (2,), [3]), "c": {"d": {}}}
    assert objects.unpack(objects.pack(state, {})) == state


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"cut"])
def test_what_is_missing_or_damaged_is_one_sentence(objects, tmp_path, content):
    name = objects.put_tensor(torch.arange(50.0))
    path = tmp_path / "objects" / name
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(whole[:-9] if content == b"cut" else content)
    with pytest.raises(InputError, match="missing or damaged"):
        objects.get_tensor(name)


def test_a_content_under_a_wrong_name_is_damaged(objects, tmp_path):
    one, two = (objects.put_tensor(torch.full((4,), x)) for x in (1.0, 2.0))
    (tmp_path / "objects" / one).unlink()
    (tmp_path / "objects" / two).rename(tmp_path / "objects" / one)
    with pytest.raises(InputError, match="damaged"):
        objects.get_tensor(one)


def test_two_folders_share_a_file_or_copy_it(objects, tmp_path, monkeypatch):
    name = objects.put_tensor(torch.randn(64))
    other = Objects(tmp_path / "other")
    assert other.link(objects, name) == 0
    file = tmp_path / "objects" / name
    assert (tmp_path / "other" / name).samefile(file)
    file.unlink()
    assert other.get_tensor(name).shape == (64,)

    def elsewhere(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(module.os, "link", elsewhere)
    third = Objects(tmp_path / "third")
    assert third.link(other, name) == (tmp_path / "third" / name).stat().st_size
    assert torch.equal(third.get_tensor(name), other.get_tensor(name))
    assert not list((tmp_path / "third").glob(".*"))
