"""Runs with blocks of live weights: several steps, resumed, on the disk."""

import json

import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.errors import InputError
from engine.events import Pruned, RunStopped
from engine.planning import budget
from engine.recipe import Recipe, parse, with_changes

STEPS = {
    "estimator.samples": 16,
    "estimator.block_size": 60,
    "estimator.order": "greedy",
    "estimator.compensation": "joint",
    "estimator.blocks": "live",
    "schedule.recomputations": 3,
    "allocation.sparsity": 0.8,
    "allocation.exclude": ["layer3.*"],
    "finetune.epochs": 0,
    "machine.device": "cpu",
    "machine.threads": 1,
}


def recipe(**changes) -> Recipe:
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return with_changes(Recipe(), {**STEPS, **dotted})


def digest(folder) -> str:
    return json.loads((folder / "summary.json").read_text())["mask_sha256"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    engine.run(recipe(), folder)
    return folder


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_of_several_steps_resumes_to_the_same_bits(whole, tmp_path, count):
    control, pruned = engine.Control(), []

    def emit(event):
        pruned.extend([event] * isinstance(event, Pruned))
        if len(pruned) == count:
            control.stop()

    assert isinstance(engine.run(recipe(), tmp_path / "cut", emit, control), RunStopped)
    engine.resume(tmp_path / "cut")
    assert digest(tmp_path / "cut") == digest(whole)
    first, second = (
        load_file(folder / "model.safetensors") for folder in (whole, tmp_path / "cut")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_from_the_disk_it_is_the_same_run(whole, tmp_path, monkeypatch):
    ways = budget._ways

    def paged(*given):
        return (way for way in ways(*given) if way[1].folder and not way[1].half)

    monkeypatch.setattr(budget, "_ways", paged)
    monkeypatch.setattr(budget, "_explained", lambda tried, *_: tried[-1])
    engine.run(recipe(), tmp_path / "disk")
    assert digest(tmp_path / "disk") == digest(whole)


def test_it_differs_from_blocks_of_positions_once_weights_are_gone(whole, tmp_path):
    engine.run(recipe(estimator__blocks="position"), tmp_path / "position")
    assert digest(tmp_path / "position") != digest(whole)
    for name, blocks in (("one", "live"), ("two", "position")):
        changes = {"schedule__recomputations": 1, "estimator__blocks": blocks}
        engine.run(recipe(**changes), tmp_path / name)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_the_network_as_one_vector_has_no_such_setting():
    """M-FAC's blocks are of live weights always."""
    assert with_changes(recipe(), {"estimator.kind": "mfac"}).estimator.kind == "mfac"
    with pytest.raises(
        InputError, match=r"estimator\.blocks: there is no such setting"
    ):
        parse({"estimator": {"kind": "mfac", "blocks": "live"}})
