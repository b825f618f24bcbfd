"""Packs: tensors come back bit for bit, each is stored once, damage is told."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.records.packs import Packs

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64)


def back(packs, path, tensor):
    """The tensor, written and read by somebody else."""
    name = packs.put_tensor(tensor)
    packs.write(path)
    return Packs([path]).get_tensor(name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.pack"


@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 2, 5)])
@pytest.mark.parametrize("dtype", [*DTYPES, torch.bool])
def test_a_tensor_comes_back_bit_for_bit(path, dtype, shape):
    tensor = (100 * torch.randn(shape)).to(dtype)
    found = back(Packs(), path, tensor)
    assert found.dtype == dtype and found.shape == tensor.shape
    assert torch.equal(found, tensor)


def test_what_is_no_number_survives_as_well(path):
    tensor = torch.tensor([math.nan, -math.inf, -0.0, 1e-42])
    found = back(Packs(), path, tensor)
    assert torch.equal(found.view(torch.int32), tensor.view(torch.int32))


@given(bits=st.lists(st.booleans(), max_size=40))
def test_masks_of_any_length_survive(tmp_path_factory, bits):
    mask = torch.tensor(bits, dtype=torch.bool)
    path = tmp_path_factory.mktemp("masks") / "a.pack"
    assert torch.equal(back(Packs(), path, mask), mask)


def test_a_content_is_stored_once_and_shapes_keep_apart(path, tmp_path):
    packs, tensor = Packs(), torch.randn(6, 4)
    first = packs.put_tensor(tensor)
    assert packs.put_tensor(tensor.clone()) == first
    once = packs.write(path)
    assert once == path.stat().st_size
    assert packs.put_tensor(tensor.clone()) == first
    assert packs.write(tmp_path / "b.pack") < 10 < once
    assert packs.put_tensor(tensor.reshape(4, 6)) != first


def test_a_pruned_weight_takes_its_mask_and_its_survivors(path):
    packs, mask = Packs(), torch.rand(200, 100) < 0.1
    weight = torch.randn(200, 100) * mask
    state = {"model": {"a": weight, "b": torch.ones(3)}, "masks": {"a": mask}}
    packed = packs.pack(state, state["masks"])
    assert set(packed["model"]["a"]) == {"$values", "$mask"}
    assert packed["masks"]["a"]["$tensor"] == packed["model"]["a"]["$mask"]
    assert packs.write(path) < 4 * int(mask.sum()) + mask.numel() // 8 + 800
    found = Packs([path]).unpack(packed)
    assert torch.equal(found["model"]["a"], weight)
    assert torch.equal(found["masks"]["a"], mask)


def test_a_weight_that_its_mask_does_not_describe_is_kept_whole(path):
    packs, weight = Packs(), torch.tensor([1.0, 2.0])
    packed = packs.pack({"model": {"a": weight}}, {"a": torch.tensor([True, False])})
    assert set(packed["model"]["a"]) == {"$tensor"}
    packs.write(path)
    assert torch.equal(packs.unpack(packed)["model"]["a"], weight)


def test_plain_values_keep_their_kinds():
    packs, state = Packs(), {"a": [1, 2.5, None, "x"], "b": (1, (2,), [3]), "c": {}}
    assert packs.unpack(packs.pack(state, {})) == state


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"[1]\n", b"cut", b"turn"])
def test_what_is_missing_or_damaged_is_one_sentence(path, content):
    packs = Packs()
    name = packs.put_tensor(torch.arange(50.0))
    packs.write(path)
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        turned = whole.replace(name.encode(), name[::-1].encode())
        path.write_bytes({b"cut": whole[:-9], b"turn": turned}.get(content, content))
    for reader, wanted in ((Packs([path]), name), (Packs([path]), name[::-1])):
        with pytest.raises(InputError, match="missing or damaged"):
            reader.get_tensor(wanted)
