"""Checkpoint files as people have them: nested, renamed, damaged, hostile."""

import argparse
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

from engine.errors import InputError
from engine.models.checkpoint import read


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


WEIGHTS = {"fc.weight": torch.arange(6.0).reshape(2, 3), "fc.bias": torch.ones(2)}


@pytest.fixture
def saved(tmp_path):
    def save(content, name="weights.pth", **options):
        torch.save(content, tmp_path / name, **options)
        return tmp_path / name

    return save


def same(tensors):
    return tensors.keys() == WEIGHTS.keys() and all(
        torch.equal(tensors[key], WEIGHTS[key]) for key in WEIGHTS
    )


def test_an_archive_with_a_broken_directory_is_one_sentence(tmp_path):
    path = tmp_path / "weights.pth"
    end = b"PK\x05\x06" + b"\0" * 4 + b"\x09\0\x09\0" + b"\xff\0\0\0" + b"\0" * 6
    path.write_bytes(b"x" * 400 + end)
    assert zipfile.is_zipfile(path)
    with pytest.raises(InputError, match="damaged or not a checkpoint"):
        read(path)


def test_nobody_is_advised_to_load_a_damaged_file_with_its_code(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_text("garbage")
    with pytest.raises(InputError, match="damaged or not a checkpoint") as refused:
        read(path)
    told = (refused.value.message, refused.value.hint, *refused.value.details)
    assert "weights_only" not in " ".join(told)


def test_a_tensor_of_endless_repetition_is_refused(saved):
    endless = torch.zeros(1).as_strided((10**6, 10**6), (0, 0))
    path = saved({"fc.weight_orig": endless, "fc.weight_mask": endless})
    with pytest.raises(InputError, match="repeated"):
        read(path)


def test_safetensors(tmp_path):
    save_file(WEIGHTS, tmp_path / "weights.safetensors")
    assert same(read(tmp_path / "weights.safetensors").tensors)


@pytest.mark.parametrize("new_format", [True, False])
def test_bare_weights(saved, new_format):
    path = saved(WEIGHTS, _use_new_zipfile_serialization=new_format)
    stored = read(path)
    assert same(stored.tensors) and (stored.under, stored.others) == ("", ())


@pytest.mark.parametrize(
    "key", ["state_dict", "model_state_dict", "model", "net", "ema"]
)
def test_nested_weights(saved, key):
    stored = read(saved({key: WEIGHTS, "epoch": 3, "optimizer": {"state": {}}}))
    assert same(stored.tensors) and stored.under == key


def test_nested_twice_and_beside_others(saved):
    stored = read(saved({"model": {"state_dict": WEIGHTS, "step": 1, "x": 2, "y": 3}}))
    assert same(stored.tensors) and stored.under == "model.state_dict"
    average = {key: value * 0 for key, value in WEIGHTS.items()}
    stored = read(saved({"ema": average, "state_dict": WEIGHTS}))
    assert same(stored.tensors) and stored.others == ("ema",)


def test_scores_and_settings_beside_the_weights_are_harmless(saved):
    beside = {"best": np.float64(93.1), "count": np.int64(3), "flag": np.bool_(True)}
    path = saved({"model": WEIGHTS, "args": argparse.Namespace(lr=0.1), **beside})
    assert same(read(path).tensors)


@pytest.mark.parametrize("legacy", [False, True])
def test_hostile_pickles_are_refused_and_never_run(saved, tmp_path, legacy):
    marker = tmp_path / "ran"
    for content in (Hostile(marker), {"state_dict": WEIGHTS, "x": Hostile(marker)}):
        path = saved(content, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(InputError, match="contains code") as caught:
            read(path)
        assert "mkdir" in caught.value.message
    assert not marker.exists()


def test_a_plain_hostile_pickle_is_refused_and_never_run(tmp_path):
    marker, path = tmp_path / "ran", tmp_path / "weights.pth"
    for protocol in range(6):
        path.write_bytes(pickle.dumps({"a": Hostile(marker)}, protocol=protocol))
        with pytest.raises(InputError):
            read(path)
        assert not marker.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_a_whole_network_is_told_how_to_be_saved(saved, legacy):
    path = saved({"model": nn.Linear(2, 2)}, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(InputError, match="whole pickled network") as caught:
        read(path)
    assert "state_dict" in caught.value.hint


def test_files_that_are_no_checkpoints(tmp_path, saved):
    whole = saved({"state_dict": WEIGHTS}).read_bytes()
    legacy = saved(WEIGHTS, "l.pth", _use_new_zipfile_serialization=False).read_bytes()
    path = tmp_path / "damaged.pth"
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)
    contents = [b"hello there\n" * 50, jpeg, whole[:-700], whole[:20], legacy[:-10]]
    for content in (*contents, bytes(1000), b"\x80", b"{}"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged or not a checkpoint"):
            read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/readme.txt", "hello")
    with pytest.raises(InputError, match="damaged or not a checkpoint"):
        read(path)


def test_damaged_safetensors(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(WEIGHTS, path)
    whole = path.read_bytes()
    for content in (whole[:-3], whole[:5], b"\xff" * 64, b"{}" * 50):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a safetensors file"):
            read(path)


def test_missing_empty_and_folder(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "none.pth")
    with pytest.raises(InputError, match="Is a directory"):
        read(tmp_path)
    (tmp_path / "empty.pth").touch()
    with pytest.raises(InputError, match="is empty"):
        read(tmp_path / "empty.pth")


@pytest.mark.parametrize(
    "content",
    [
        [1, 2], {}, 3, torch.ones(3), {"epoch": 3}, {1: torch.ones(2)},
        {"state_dict": {}}, {"state_dict": [1]}, {"model": {"model": {"a": 1}}},
    ],
)  # fmt: skip
def test_files_without_weights(saved, content):
    with pytest.raises(InputError, match="holds no network weights"):
        read(saved(content))


@pytest.mark.parametrize(
    ("tensor", "kind"),
    [
        (torch.eye(3).to_sparse(), "sparse"),
        (torch.ones(2, 2, device="meta"), "empty"),
    ],
)
def test_tensors_that_are_not_plain_are_refused(saved, tensor, kind):
    with pytest.raises(InputError, match=f"as a .*{kind}.* tensor"):
        read(saved({"fc.weight": tensor}))


def test_a_file_that_unpacks_to_far_more_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(10_000_000))
    with pytest.raises(InputError, match="would unpack to"):
        read(tmp_path / "b.pth")


def test_weights_kept_with_masks_are_put_together(saved):
    model = nn.Linear(4, 3)
    prune.random_unstructured(model, "weight", 0.5)
    stored = read(saved(model.state_dict()))
    assert set(stored.tensors) == {"weight", "bias"} and stored.masked == ("weight",)
    assert torch.equal(stored.tensors["weight"], model.weight)
    assert int((stored.tensors["weight"] == 0).sum()) == 6


def test_a_scripted_network_is_told_apart(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.pt", "w") as archive:
        for name in ("a/constants.pkl", "a/data.pkl", "a/code/x.py", "a/version"):
            archive.writestr(name, b"3\n")
    with pytest.raises(InputError, match=r"TorchScript|damaged"):
        read(tmp_path / "s.pt")
