"""What fits is found before the start, and the run does what was decided."""

import json
import shutil
from collections import namedtuple

import pytest
import torch
from safetensors.torch import load_file

import engine
from engine import machine
from engine.errors import InputError
from engine.events import Noticed
from engine.gradients.pages import MEMORY, PAGE, PART, Storage
from engine.planning import activations, budget, memory
from engine.recipe import parse

SIZE = memory.Extent(10**7, (10**6, 2 * 10**6), (3, 32, 32), 1000, 100, 100)


def recipe(**groups):
    return parse({"machine": {"device": "cpu", "threads": 1}, **groups})


def decided(given, free, monkeypatch, folder, size=SIZE):
    monkeypatch.setattr(machine, "memory_used", lambda device: 10**9)
    monkeypatch.setattr(machine, "memory_free", lambda device: free)
    monkeypatch.setattr(activations, "passes", lambda *_: {"evaluate": 10**6})
    device = torch.device("cpu")
    return budget.decide(given, None, ("a", "b"), size, device, folder)


def test_what_fits_stays_in_memory(monkeypatch, tmp_path):
    found = decided(recipe(), 10**11, monkeypatch, tmp_path)
    assert (found.block_size, found.storage, found.disk) == (2000, MEMORY, 0)
    assert found.fits and found.reasons == ()
    assert found.peak > 10**9 + 400 * 3 * 10**6 * 4


def test_blocks_of_live_weights_cost_what_dense_ones_do(monkeypatch, tmp_path):
    """A run starts dense; from the disk their pages come in parts, which are there."""
    for free, disk in ((10**11, False), (2 * 10**9, True)):
        position, live = (
            decided(
                recipe(estimator={"blocks": blocks, "auto_block": True}, machine=EXACT),
                free, monkeypatch, tmp_path,
            )
            for blocks in ("position", "live")
        )  # fmt: skip
        assert bool(live.disk) == bool(position.disk) == disk
        assert live.block_size == position.block_size
        parts = 2 * PAGE // PART * disk
        assert live.phases["curvature"] == position.phases["curvature"] + parts
        words = " live weights, the largest" if live.block_size else "whole layers"
        assert words in live.reasons[-1]


EXACT = {"device": "cpu", "threads": 1, "half_precision": False}


def disk_with(free, monkeypatch):
    usage = namedtuple("usage", "total used free")(2 * free, free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


def test_gradients_that_do_not_fit_are_halved_in_memory(monkeypatch, tmp_path):
    found = decided(recipe(), 4 * 10**9, monkeypatch, tmp_path)
    assert found.storage == Storage(half=True) and found.fits and found.disk == 0
    assert found.phases["gradients"] >= 10**9 + 400 * 3 * 10**6 * 2
    assert "in memory in half precision (2.2 GB)" in found.reasons[0]


@pytest.mark.parametrize(("free", "machine"), [(4, EXACT), (2, {"device": "cpu"})])
def test_then_they_go_to_the_disk_with_all_bits(free, machine, monkeypatch, tmp_path):
    given = recipe(machine=machine)
    found = decided(given, free * 10**9, monkeypatch, tmp_path)
    assert found.storage == Storage(tmp_path) and found.fits
    assert found.disk == 400 * 3 * 10**6 * 4
    assert "on the disk (4.5 GB)" in found.reasons[0]


def test_a_disk_too_small_for_all_bits_takes_half_of_them(monkeypatch, tmp_path):
    disk_with(3 * 10**9, monkeypatch)
    found = decided(recipe(), 2 * 10**9, monkeypatch, tmp_path)
    assert found.storage == Storage(tmp_path, half=True)
    assert found.disk == 400 * 3 * 10**6 * 2
    with pytest.raises(InputError, match=r"4\.5 GB of disk .* 2\.5 GB may be used"):
        decided(recipe(machine=EXACT), 2 * 10**9, monkeypatch, tmp_path)


def test_what_the_window_keeps_of_a_run_is_counted(monkeypatch, tmp_path):
    plain = decided(recipe(), 10**11, monkeypatch, tmp_path)
    device = torch.device("cpu")
    asked = (recipe(), None, ("a", "b"), SIZE, device, tmp_path)
    watched = budget.decide(*asked, watched=True)
    assert watched.peak - plain.peak == memory.study(SIZE) >= 20 * SIZE.prunable


def test_auto_takes_the_largest_block_that_fits(monkeypatch, tmp_path):
    given = recipe(estimator={"kind": "woodfisher", "block_size": "auto"})
    roomy = decided(given, 10**11, monkeypatch, tmp_path)
    assert (roomy.block_size, roomy.storage) == (0, MEMORY)
    tight = decided(given, 2 * 10**9, monkeypatch, tmp_path)
    assert tight.storage.paged and 0 < tight.block_size < 10**6
    larger = budget.LADDER[budget.LADDER.index(tight.block_size) - 1]
    need = memory.curvature(SIZE, given, larger, tight.storage)
    assert max(need.values()) + 10**9 > tight.limit
    assert f"{tight.block_size:,} weights" in tight.reasons[-1]


def test_what_cannot_fit_is_refused_with_a_remedy(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="needs about") as raised:
        decided(recipe(), 10**7, monkeypatch, tmp_path)
    assert raised.value.hint in {*budget.REMEDIES.values(), budget.ELSE}


def test_a_disk_too_small_is_refused(monkeypatch, tmp_path):
    disk_with(2**30, monkeypatch)
    with pytest.raises(InputError, match=r"2\.2 GB of disk .* 0\.9 GB may be used"):
        decided(recipe(), 2 * 10**9, monkeypatch, tmp_path / "not" / "yet")


def test_the_setting_limits_the_memory(monkeypatch, tmp_path):
    given = recipe(machine={"device": "cpu", "memory": 5})
    found = decided(given, 10**12, monkeypatch, tmp_path)
    assert found.storage.half and found.limit == 5 * 2**30


def test_magnitude_needs_no_blocks(monkeypatch, tmp_path):
    found = decided(
        recipe(estimator={"kind": "magnitude"}), 10**11, monkeypatch, tmp_path
    )
    assert found.block_size is None and found.storage == MEMORY


def test_few_images_give_few_rows():
    given = recipe(estimator={"kind": "woodfisher", "samples": 5000})
    assert memory.samples(given.estimator, SIZE) == 1000


def only(storage, monkeypatch):
    """As if nothing but this were left."""
    ways = budget._ways
    monkeypatch.setattr(
        budget, "_ways", lambda *given: (w for w in ways(*given) if storage(w[1]))
    )
    monkeypatch.setattr(budget, "_explained", lambda tried, *_: tried[-1])


def test_a_paged_run_ends_where_one_in_memory_ends(monkeypatch, tmp_path):
    """Same masks, said in the summary, nothing left behind."""
    given = recipe(
        estimator={"kind": "woodfisher", "samples": 32, "block_size": 100},
        finetune={"epochs": 0},
    )
    summaries = []
    for name in ("memory", "disk"):
        engine.run(given, tmp_path / name)
        text = (tmp_path / name / "summary.json").read_text()
        summaries.append(json.loads(text))
        only(lambda each: each.folder and not each.half, monkeypatch)
    kept, paged = summaries
    assert (kept["paged"], paged["paged"]) == (False, True)
    assert not paged["half_precision"]
    assert kept["block_size"] == paged["block_size"] == 100
    assert kept["mask_sha256"] == paged["mask_sha256"]
    assert kept["final"] == paged["final"]
    assert kept["predicted_peak_bytes"] > 0
    left = {path.name for path in (tmp_path / "disk").iterdir()}
    assert left == {path.name for path in (tmp_path / "memory").iterdir()}


def test_a_run_in_half_precision_ends_close_to_an_exact_one(monkeypatch, tmp_path):
    given = recipe(
        estimator={"kind": "woodfisher", "samples": 32, "block_size": 100},
        finetune={"epochs": 0},
    )
    engine.run(given, tmp_path / "exact")
    exact = load_file(tmp_path / "exact" / "model.safetensors")
    for place, folder in (("memory", False), ("disk", True)):
        with monkeypatch.context() as patch:
            only(lambda s, f=folder: s.half and bool(s.folder) == f, patch)
            engine.run(given, tmp_path / place)
        summary = json.loads((tmp_path / place / "summary.json").read_text())
        assert summary["half_precision"] and summary["paged"] == folder
        rounded = load_file(tmp_path / place / "model.safetensors")
        for name, weight in exact.items():
            same = (weight == 0) == (rounded[name] == 0)
            assert same.double().mean() > 0.98


def test_an_automatic_block_is_told_and_kept_when_resumed(tmp_path):
    given = recipe(
        estimator={"kind": "woodfisher", "samples": 8, "block_size": "auto"},
        finetune={"epochs": 1},
    )
    control, events = engine.Control(), []

    def emit(event):
        events.append(event)
        if type(event).__name__ == "Trained":
            control.stop()

    engine.run(given, tmp_path / "run", emit=emit, control=control)
    said = [e.message for e in events if isinstance(e, Noticed)]
    assert any("Blocks are whole layers" in words for words in said)
    engine.resume(tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["block_size"] == 0


def test_several_processes_stay_in_memory_and_hold_their_layers_alone(
    monkeypatch, tmp_path
):
    device, free = torch.device("cpu"), 30 * 10**9
    one = decided(recipe(), free, monkeypatch, tmp_path)

    def shared(free):
        monkeypatch.setattr(machine, "memory_free", lambda device: free)
        return budget.decide(recipe(), None, ("a", "b"), SIZE, device, tmp_path, 2)

    two = shared(free)
    assert two.storage == MEMORY
    assert two.phases["curvature"] < 0.8 * one.phases["curvature"]  # owns 2 of 3
    assert two.limit - 10**9 == (one.limit - 10**9) // 2  # a CPU's memory is shared
    assert decided(recipe(), 4 * 10**9, monkeypatch, tmp_path).storage.paged
    with pytest.raises(InputError, match="Each process needs about") as raised:
        shared(4 * 10**9)
    assert "A single process can" in raised.value.hint
