"""Gradients on disk give what gradients in memory give, and leave nothing behind."""

import errno
import gc
import os

import pytest
import torch
from torch import nn

from engine.curvature.block_fishers import block_fishers
from engine.errors import RunError, Stopped
from engine.estimators import WoodFisher
from engine.gradients import pages as pages_module
from engine.gradients.pages import MEMORY, Pages, Storage
from engine.gradients.prefetch import prefetched
from engine.loss import Loss
from engine.monitor import Control, Monitor
from engine.problem import Problem
from tests.cases import CASES, Images


def problem(storage=MEMORY) -> Problem:
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )
    split = Images(torch.randn(30, 1, 4, 4), torch.randint(0, 3, (30,)))
    return Problem(model, ("0.weight", "3.weight"), split, Loss(), storage)


def masks_of(given: Problem, share: float) -> dict:
    torch.manual_seed(5)
    masks = {n: torch.rand_like(w) < share for n, w in given.weights().items()}
    for name, weight in given.weights().items():
        weight.mul_(masks[name])
    return masks


def test_what_is_written_is_read(tmp_path):
    pages = Pages(Storage(tmp_path), 5, torch.zeros(3, 4))
    rows = torch.randn(5, 12)
    pages[1:3] = rows[1:3]
    pages[4] = rows[4]
    rows[[0, 3]] = 0
    assert torch.equal(pages.read(slice(0, 12)), rows)
    assert torch.equal(pages.read(slice(2, 7)), rows[:, 2:7])


def test_nothing_is_left_in_the_folder(tmp_path):
    pages = Pages(Storage(tmp_path), 5, torch.zeros(3, 4))
    pages[0] = torch.ones(12)
    file = pages._rows._file
    del pages
    gc.collect()
    assert file.closed and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rows_on_disk_are_the_rows_in_memory(case, tmp_path):
    model = case.build()
    split = Images(torch.randn(12, *case.shape), torch.randint(0, 3, (12,)))
    names = tuple(n for n, w in model.named_parameters() if w.dim() > 1)
    for batch in (1, 9):
        kept, paged = (
            Problem(model, names, split, Loss(), storage).gradients(
                6, batch, 1, {}, Monitor()
            )
            for storage in (MEMORY, Storage(tmp_path))
        )
        for name, rows in kept.items():
            assert torch.equal(paged[name].read(slice(0, rows.shape[1])), rows)


@pytest.mark.parametrize("compensation", ["none", "sum", "joint"])
@pytest.mark.parametrize("samples", [6, 25])
@pytest.mark.parametrize("size", [0, 7, 16])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.0])
def test_scores_and_steps_are_equal(
    tmp_path, monkeypatch, compensation, samples, size, share
):
    monkeypatch.setattr(
        pages_module, "PAGE", 3 * samples * 7 * 4
    )  # a few blocks at a time
    method = WoodFisher(samples=samples, block_size=size, compensation=compensation)
    found = []
    for storage in (MEMORY, Storage(tmp_path)):
        given = problem(storage)
        masks = masks_of(given, share)
        curvature = method.fit(given, masks, Monitor(), seed=2)
        weights = given.weights()
        scores = curvature.scores(weights)
        removed = {n: masks[n] & (s < s.median()) for n, s in scores.items()}
        step = curvature.removal(weights, removed).corrections
        found.append((scores, step, curvature.removal(weights, removed).predicted))
    kept, paged = found
    for name in kept[0]:
        assert torch.equal(kept[0][name], paged[0][name])
        assert torch.equal(kept[1][name], paged[1][name])
    assert kept[2] == pytest.approx(paged[2], rel=1e-12)


@pytest.mark.parametrize("disk", [False, True])
def test_half_precision_neither_overflows_nor_fades(disk, tmp_path):
    """Rows far outside of float16's range come back with 11 significant bits."""
    rows = torch.randn(6, 200) * torch.tensor(
        [[1e30], [1e-30], [7e4], [1.0], [0.0], [1e-42]]
    )
    pages = Pages(Storage(tmp_path if disk else None, half=True), 6, torch.zeros(200))
    pages[0:3], pages[3], pages[4:6] = rows[:3], rows[3], rows[4:]
    found = pages.read(slice(10, 190))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, rows[:, 10:190], rtol=2**-11, atol=1e-44)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_half_precision_does_not_hide_what_is_not_finite(bad):
    pages = Pages(Storage(half=True), 2, torch.zeros(4))
    pages[0:2] = torch.tensor([[0, bad, 0, 0], [1.0, 2, 3, 4]])
    masks = {"a": torch.ones(4, dtype=torch.bool)}
    with pytest.raises(RunError, match="gradients of a are not finite"):
        block_fishers({"a": pages}, masks, 0, 1e-3, Monitor())


@pytest.mark.parametrize("size", [0, 16])
def test_half_precision_gives_nearly_the_same_scores_and_steps(size):
    method, found = WoodFisher(samples=25, block_size=size), []
    for storage in (MEMORY, Storage(half=True)):
        given = problem(storage)
        curvature = method.fit(given, masks_of(given, 1.0), Monitor(), seed=2)
        weights = given.weights()
        scores = curvature.scores(weights)
        removed = {n: torch.arange(s.numel()).reshape(s.shape) % 3 == 0
                   for n, s in scores.items()}  # fmt: skip
        found.append((scores, curvature.removal(weights, removed)))
    (exact, one), (rounded, other) = found
    for name, scores in exact.items():
        assert (rounded[name] / scores - 1).abs().max() < 5e-3
        error = (other.corrections[name] - one.corrections[name]).norm()
        assert error < 5e-3 * one.corrections[name].norm()
    assert other.predicted == pytest.approx(one.predicted, rel=5e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("half", [False, True])
def test_pages_of_a_gpu_come_back_to_it_while_it_works(tmp_path, half):
    rows = torch.randint(-9, 9, (64, 200_000), device="cuda").float()
    pages = Pages(Storage(tmp_path, half), 64, torch.zeros(200_000, device="cuda"))
    pages[0:64] = rows
    runs = [slice(at, at + 20_000) for at in range(0, 200_000, 20_000)]
    found = []
    for _, page in prefetched(runs, pages.read):
        found.append(page @ torch.eye(20_000, device="cuda"))
    assert torch.equal(torch.cat(found, 1), rows)


def test_a_raised_damping_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(pages_module, "PAGE", 1)
    rows = torch.randn(4, 16)
    rows[:, 8] *= 1e7
    pages = Pages(Storage(tmp_path), 4, torch.zeros(16))
    pages[0:4] = rows
    live, vector = torch.ones(16, dtype=torch.bool), torch.randn(16).double()
    results, notices = [], []
    for given in (rows, pages):
        monitor = Monitor()
        found = block_fishers({"a": given}, {"a": live}, 8, 1e-7, monitor)["a"]
        results.append((found.diag(), found.solve(vector)))
        notices.append(monitor.notices)
    assert notices[0] == notices[1] and len(notices[0]) == 1
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


def test_gradients_that_are_not_finite_are_a_sentence(tmp_path):
    pages = Pages(Storage(tmp_path), 2, torch.zeros(4))
    pages[1] = torch.tensor([0, float("nan"), 0, 0])
    masks = {"a": torch.ones(4, dtype=torch.bool)}
    with pytest.raises(RunError, match="gradients of a are not finite"):
        block_fishers({"a": pages}, masks, 0, 1e-3, Monitor())


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(RunError, match="No space left") as raised:
        problem(Storage(tmp_path)).gradients(6, 1, 0, {}, Monitor())
    assert "disk" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(RunError, match="cannot be kept"):
        problem(Storage(tmp_path / "no")).gradients(6, 1, 0, {}, Monitor())


def test_a_stop_between_pages_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pages_module, "PAGE", 1)
    control = Control()
    given = problem(Storage(tmp_path))
    monitor = Monitor(control=control)
    curvature = WoodFisher(samples=6, block_size=7).fit(
        given, masks_of(given, 1.0), monitor, 0
    )
    weights = given.weights()
    control.stop()
    with pytest.raises(Stopped):
        curvature.removal(weights, {n: w > 0 for n, w in weights.items()})
    del curvature
    gc.collect()
    assert list(tmp_path.iterdir()) == []
