"""Blocks of the Fisher: work space, hopeless damping and broken gradients."""

import pytest
import torch
from torch import Tensor

from engine.curvature import blocks
from engine.curvature.block_fishers import block_fishers
from engine.curvature.blocks import DualBlocks
from engine.curvature.fisher import BlockFisher
from engine.curvature.primal import PrimalBlocks
from engine.errors import RunError
from engine.monitor import Monitor
from tests import reference

NAME = "layer"


def fitted(
    rows: Tensor, size: int, damping: float = 1e-3
) -> tuple[BlockFisher, list[str]]:
    """The inverse of one dense layer, and what was noticed."""
    monitor = Monitor()
    masks = {NAME: torch.ones(rows.shape[1], dtype=torch.bool)}
    found = block_fishers({NAME: rows}, masks, size, damping, monitor)[NAME]
    return found, monitor.notices


@pytest.mark.parametrize(("samples", "size"), [(5, 0), (5, 8), (40, 0), (40, 8)])
@pytest.mark.parametrize("budget", [1, 4000])
def test_work_space_does_not_change_results(monkeypatch, samples, size, budget):
    rows, weights = torch.randn(samples, 27), torch.randn(27).double()
    removed = torch.rand(27) < 0.5
    results = []
    for limit in (blocks.BUDGET, budget):
        monkeypatch.setattr(blocks, "BUDGET", limit)
        found, _ = fitted(rows, size)
        step, loss = found.joint(weights, removed)
        results.append((found.diag(), found.solve(weights), step, torch.tensor(loss)))
    for first, second in zip(*results, strict=True):
        torch.testing.assert_close(first.double(), second.double())


@pytest.mark.parametrize(("samples", "size"), [(170, 180), (300, 150), (300, 291)])
def test_large_blocks_are_put_together_from_strips_and_halves(samples, size):
    rows, weights = torch.randn(samples, 2 * size), torch.randn(2 * size).double()
    removed = torch.rand(2 * size) < 0.5
    found, _ = fitted(rows, size)
    dense = reference.block_fisher(rows, 1e-3, size)
    inverse = torch.linalg.inv(dense)
    torch.testing.assert_close(found.diag(), inverse.diag())
    torch.testing.assert_close(found.solve(weights), inverse @ weights)
    right = reference.joint_update(weights, removed, dense)
    torch.testing.assert_close(found.joint(weights, removed)[0], right)


def test_a_gradient_too_large_for_float64_raises_the_damping_of_its_block():
    rows = torch.randn(4, 16)
    rows[:, 8] *= 1e7
    found, notices = fitted(rows, 8, 1e-7)
    assert found.raised == 1 and found.largest > 1e-7
    assert len(notices) == 1 and NAME in notices[0]
    dense = torch.linalg.inv(reference.fisher(rows[:, :8], 1e-7))
    torch.testing.assert_close(found.diag()[:8], dense.diag())
    dense = torch.linalg.inv(reference.fisher(rows[:, 8:], found.largest))
    assert torch.allclose(found.diag()[8:], dense.diag(), rtol=1e-2)


def test_a_singular_block_raises_its_damping():
    rows = torch.randn(40, 16)
    rows[:, 8:] = 1e4  # eight equal columns, exact in float64
    found, notices = fitted(rows, 8, 1e-13)
    assert found.raised == 1 and len(notices) == 1
    assert (found.diag() > 0).all() and found.diag().isfinite().all()
    dense = torch.linalg.inv(reference.fisher(rows[:, :8], 1e-13))
    torch.testing.assert_close(found.diag()[:8], dense.diag())


def test_an_inverse_above_its_bound_is_not_believed():
    found, notices = fitted(torch.ones(40, 8), 8, 3.2e-16)  # 1 + damping rounds down
    assert found.raised == 1 and len(notices) == 1
    assert found.diag().max() <= 1.01 / found.largest


def test_huge_but_regular_blocks_keep_their_damping():
    found, notices = fitted(torch.randn(40, 16) * 1e8, 8, 1e-7)
    assert found.raised == 0 and notices == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_gradients_that_are_not_finite_are_a_sentence(value):
    rows = torch.randn(4, 6)
    rows[2, 3] = value
    with pytest.raises(RunError, match="gradients of layer are not finite"):
        fitted(rows, 0)


def test_a_block_beyond_every_damping_is_a_sentence():
    rows = torch.full((4, 6), 1e30) * torch.tensor([1, 2, 3, 4])[:, None]
    with pytest.raises(RunError, match="no usable inverse"):
        fitted(rows, 0)


@pytest.mark.parametrize(("samples", "size"), [(5, 2 * 5 * 8 * 4), (40, 0)])
def test_gradients_are_held_only_where_they_are_needed(samples, size):
    found, _ = fitted(torch.randn(samples, 16), 8)
    assert found._blocks._gradients.untyped_storage().nbytes() == size


@pytest.mark.parametrize("kind", [DualBlocks, PrimalBlocks])
def test_subsets_of_a_block_can_be_solved_however_steep_it_is(kind):
    """Exploding gradients of a deep network; without a firm damping some failed."""
    torch.manual_seed(0)
    samples, width = (12, 60) if kind is DualBlocks else (60, 12)
    steep = 10 ** torch.arange(0, 9.0)
    gradients = torch.randn(9, samples, 3) @ torch.randn(9, 3, width)
    blocks = kind(gradients * steep[:, None, None], 1e-5)
    assert (blocks.damping[-1] > 1e-5) and blocks.damping[0] == 1e-5
    weights = torch.randn(9, width).double()
    for share in (0.2, 0.5, 0.9):
        step, loss = blocks.joint(weights, torch.rand(9, width) < share)
        assert step.isfinite().all() and loss.isfinite().all()
