"""A GPU that runs out, played by an allocation that fails above a limit."""

import json

import pytest
import torch

import engine
from engine.curvature import descent, fisher
from engine.errors import RunError
from engine.events import Noticed
from engine.gradients import collector
from engine.recipe import parse
from engine.records import contents

RECIPE = {
    "estimator": {"samples": 24, "block_size": 32},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}


def pruned(folder, heard=lambda event: None, **groups) -> dict:
    engine.run(parse(RECIPE | groups), folder, heard)
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture
def small_gpu(monkeypatch):
    """Gradients of a layer, and images of a micro-batch, beyond a limit do not fit."""
    passed, gathered = collector.batched, fisher.finite

    def batched(model, ways, images, objective):
        if len(images) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return passed(model, ways, images, objective)

    def finite(rows):
        if rows.nbytes > 40_000:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return gathered(rows)

    monkeypatch.setattr("engine.gradients.collector.batched", batched)
    monkeypatch.setattr("engine.curvature.fisher.finite", finite)
    monkeypatch.setattr("engine.curvature.block_fishers.finite", finite)
    monkeypatch.setattr("engine.gradients.pages.PAGE", 100_000)


def test_the_step_is_done_again_with_smaller_pages(tmp_path, small_gpu):
    heard = []
    summary = pruned(tmp_path / "small", heard.append)
    told = [
        e.message for e in heard if isinstance(e, Noticed) and "ran out" in e.message
    ]
    assert told and "1/2 of" in told[0]
    assert told == [each for each in summary["notices"] if "ran out" in each]
    assert summary["paged"] and summary["sparsity"] == pytest.approx(0.9, abs=1e-4)


@pytest.mark.parametrize("kind", ["woodfisher", "woodtaylor"])
def test_the_masks_are_those_of_a_large_gpu(tmp_path, request, kind):
    method = {"estimator": {**RECIPE["estimator"], "kind": kind}}
    large = pruned(tmp_path / "large", **method)
    request.getfixturevalue("small_gpu")
    small = pruned(tmp_path / "small", **method)
    assert small["mask_sha256"] == large["mask_sha256"]
    assert not large["paged"] and small["paged"]


def test_memory_that_runs_out_along_a_newton_step_leaves_no_trace(
    tmp_path, monkeypatch
):
    method = {"estimator": {**RECIPE["estimator"], "kind": "woodtaylor"}}
    large, measure, tries = pruned(tmp_path / "large", **method), descent.mean_loss, []

    def mean_loss(problem, images, monitor):
        tries.append(problem.thrift)
        if tries == [0, 0]:  # the weights are moved
            raise torch.OutOfMemoryError("CUDA out of memory")
        return measure(problem, images, monitor)

    monkeypatch.setattr("engine.curvature.descent.mean_loss", mean_loss)
    small = pruned(tmp_path / "small", **method)
    assert tries[:3] == [0, 0, 1]
    assert small["mask_sha256"] == large["mask_sha256"]


@pytest.mark.parametrize("method", [{}, {"estimator": {"kind": "mfac", "samples": 24}}])
def test_a_gpu_that_never_has_enough_ends_the_run(tmp_path, monkeypatch, method):
    def finite(rows):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("engine.curvature.fisher.finite", finite)
    monkeypatch.setattr("engine.curvature.block_fishers.finite", finite)
    with pytest.raises(RunError, match="ran out of memory"):
        pruned(tmp_path / "run", **method)
    assert contents.recipe_of(tmp_path / "run").estimator.samples == 24
