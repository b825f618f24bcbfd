"""Exports reload elsewhere to the same logits."""

import hashlib

import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.errors import InputError, RunError
from engine.recipe import Recipe, with_changes


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    changes = {"estimator.kind": "magnitude", "finetune.epochs": 0}
    engine.run(with_changes(Recipe(), changes), folder)
    return folder


@pytest.mark.parametrize("kind", [e.kind for e in engine.EXPORTERS])
def test_an_export_reloads_in_a_fresh_process_to_the_same_logits(
    run_folder, tmp_path, kind
):
    out = tmp_path / f"pruned.{kind}"
    report = engine.export(run_folder, kind, out)
    assert report.difference < 1e-5
    assert report.bytes == out.stat().st_size
    assert 0.85 < report.zeros / report.weights < 0.95
    recipe = Recipe()
    dense = recipe.model.build(recipe.data.describe(), frozenset())
    read = torch.load(out, weights_only=True) if kind == "pth" else load_file(out)
    assert list(read) == list(dense.state_dict()) or kind != "pth"
    assert set(read) == set(dense.state_dict())
    dense.load_state_dict(read, strict=True)


def test_unknown_format_unwritable_file_and_no_network(run_folder, tmp_path):
    with pytest.raises(InputError, match="no export format"):
        engine.export(run_folder, "docx", tmp_path / "x")
    with pytest.raises(InputError, match="Cannot write"):
        engine.export(run_folder, "pth", tmp_path / "missing" / "x.pth")
    with pytest.raises(InputError, match="not a run folder"):
        engine.export(tmp_path, "pth", tmp_path / "x.pth")
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_another_format_is_refused_before_writing(run_folder, tmp_path):
    out = tmp_path / "pruned.safetensors"
    with pytest.raises(InputError, match="name of a safetensors file") as caught:
        engine.export(run_folder, "pth", out)
    assert "Export to safetensors" in caught.value.hint and not out.exists()


def test_a_file_that_is_there_is_replaced_only_when_asked(run_folder, tmp_path):
    out = tmp_path / "pruned.pth"
    out.write_text("mine")
    with pytest.raises(InputError, match="exists already") as caught:
        engine.export(run_folder, "pth", out)
    assert "--force" in caught.value.hint and out.read_text() == "mine"
    report = engine.export(run_folder, "pth", out, replace=True)
    assert report.bytes == out.stat().st_size and report.moment == ""


def test_an_export_never_replaces_what_the_run_needs(tmp_path):
    recipe = Recipe()
    dense = recipe.model.build(recipe.data.describe(), frozenset())
    torch.save(dense.state_dict(), tmp_path / "dense.pth")
    changes = {
        "estimator.kind": "magnitude",
        "finetune.epochs": 0,
        "model.checkpoint": str(tmp_path / "dense.pth"),
    }
    folder = tmp_path / "run"
    engine.run(with_changes(recipe, changes), folder)
    for file in (folder / "model.safetensors", tmp_path / "run/../dense.pth"):
        before = file.read_bytes()
        with pytest.raises(InputError, match="belongs to the run"):
            engine.export(folder, "pth", file)
        assert file.read_bytes() == before


TALKATIVE = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        print("forward", end=" ")
        return self.fc(x.flatten(1))

def build():
    print("building")
    torch.manual_seed(0)
    return Network().half()
"""


def test_a_network_that_prints_and_starts_in_half_precision(tmp_path):
    file = tmp_path / "network.py"
    file.write_text(TALKATIVE)
    trust = frozenset({hashlib.sha256(file.read_bytes()).hexdigest()})
    changes = {
        "estimator.kind": "magnitude",
        "finetune.epochs": 0,
        "model.kind": "file",
        "model.file": str(file),
    }
    engine.run(with_changes(Recipe(), changes), tmp_path / "run", trust=trust)
    report = engine.export(tmp_path / "run", "pth", tmp_path / "out.pth", trust)
    assert report.difference < 1e-5
    file.write_text(TALKATIVE.replace("self.fc", "self.head"))
    trust = frozenset({hashlib.sha256(file.read_bytes()).hexdigest()})
    with pytest.raises(InputError, match="not the one its recipe builds now"):
        engine.export(tmp_path / "run", "pth", tmp_path / "new.pth", trust)
    assert not (tmp_path / "new.pth").exists()


def test_a_file_that_does_not_give_the_logits_is_found_out(run_folder, tmp_path):
    from engine.export import _check
    from engine.exporters import Pth

    recipe = Recipe()
    model = recipe.model.build(recipe.data.describe(), frozenset())
    weights = model.state_dict()
    file = tmp_path / "other.pth"
    torch.save({k: v * 1.5 for k, v in weights.items()}, file)
    inputs = torch.randn(2, *recipe.data.describe().shape)
    assert _check(run_folder, Pth, file, model, inputs, frozenset()) > 1e-3
    torch.save({"nothing": torch.ones(1)}, file)
    with pytest.raises(RunError, match="reloading"):
        _check(run_folder, Pth, file, model, inputs, frozenset())
