"""Groups of neighbours: their layout, their part of the inverse, their saliency."""

import pytest
import torch
from torch import Tensor

from engine.curvature import blocks
from engine.curvature.block_fishers import block_fishers
from engine.curvature.groups import at, cheapest, joint_losses, neighbours, subsets
from engine.curvature.obs import ObsCurvature
from engine.errors import RunError
from engine.gradients.pages import Pages, Storage
from engine.monitor import Monitor
from tests import reference
from tests.given import Given

NAME = "layer"
# (gradients, block size): N < c and N > c, groups inside blocks and across several
FISHERS = [(5, 0), (5, 8), (5, 3), (5, 1), (60, 0), (60, 8), (60, 7), (60, 1)]
fishers = pytest.mark.parametrize(("samples", "size"), FISHERS)


def layer(samples: int, shape=(3, 4, 2, 2)) -> tuple[Tensor, Tensor, Tensor]:
    """Correlated gradients, weights (out, in, *kernel), and those still alive."""
    numel = torch.Size(shape).numel()
    mix = torch.randn(numel, numel) / numel**0.5 + torch.eye(numel)
    live = torch.rand(shape) < 0.8
    live[0, :, 0, 0] = True
    rows = torch.randn(samples, numel) @ mix
    return rows * live.reshape(-1), torch.randn(shape).double() * live, live


def test_neighbours_are_input_channels_at_one_kernel_position():
    live = torch.ones(2, 4, 1, 3, dtype=torch.bool)
    live[1, 2, 0, 0] = False
    found = neighbours(live, 4).tolist()
    assert found[:3] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert found[3:] == [[12, 15, 24, 21], [13, 16, 19, 22], [14, 17, 20, 23]]


def test_a_row_that_does_not_divide_ends_in_a_smaller_group():
    found = neighbours(torch.ones(2, 5, dtype=torch.bool), 3).tolist()
    assert found == [[0, 1, 2], [3, 4, 10], [5, 6, 7], [8, 9, 10]]


def test_subsets_are_all_ways_to_take_so_many():
    found = subsets(4, 2)
    assert len(found) == len({tuple(way) for way in found.tolist()}) == 6
    assert (found.sum(1) == 2).all()
    assert subsets(8, 4).shape == (70, 8)


@fishers
def test_what_members_have_in_common_is_that_of_the_dense_inverse(samples, size):
    rows, _, live = layer(samples)
    dense = torch.linalg.inv(reference.block_fisher(rows, 1e-3, size))
    masks = {NAME: live.reshape(-1)}
    found = block_fishers({NAME: rows}, masks, size, 1e-3, Monitor())[NAME]
    for width in (2, 4, 5):
        groups = neighbours(live, width)
        right = reference.within(dense, groups)
        torch.testing.assert_close(found.within(groups), right, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("samples", [5, 60])
def test_work_space_and_pages_do_not_change_it(monkeypatch, tmp_path, samples):
    rows, _, live = layer(samples)
    masks, groups = {NAME: live.reshape(-1)}, neighbours(live, 4)
    whole = block_fishers({NAME: rows}, masks, 8, 1e-3, Monitor())[NAME]
    right = whole.within(groups)
    monkeypatch.setattr(blocks, "BUDGET", 1)
    monkeypatch.setattr("engine.gradients.pages.PAGE", 1)
    again = block_fishers({NAME: rows}, masks, 8, 1e-3, Monitor())[NAME]
    torch.testing.assert_close(again.within(groups), right)
    pages = Pages(Storage(tmp_path), samples, torch.zeros(live.shape))
    pages[0:samples] = rows
    paged = block_fishers({NAME: pages}, masks, 8, 1e-3, Monitor())[NAME]
    torch.testing.assert_close(paged.within(groups), right)


@fishers
def test_a_groups_saliency_is_the_constrained_minimum(samples, size):
    rows, weights, live = layer(samples)
    dense = reference.block_fisher(rows, 1e-3, size)
    masks = {NAME: live.reshape(-1)}
    found = ObsCurvature(block_fishers({NAME: rows}, masks, size, 1e-3, Monitor()))
    groups, ways = neighbours(live, 4), subsets(4, 2)
    every = torch.ones(1, 4, dtype=torch.bool)
    for taken in (every, ways):
        asked = found.cheapest({NAME: weights}, {NAME: groups}, taken)
        losses, best = asked[NAME]
        for group, loss, chosen in zip(groups.tolist(), losses, best, strict=True):
            alive = {p for p in group if p < weights.numel()}
            gone = set(range(4)) - {i for i in range(4) if group[i] in alive}
            costs = {
                number: reference.set_loss(
                    weights.reshape(-1), [group[i] for i in way & present(group)], dense
                )
                for number, way in enumerate(map(members_of, taken.tolist()))
                if gone <= way
            }
            if not costs:
                assert loss == torch.inf
                continue
            assert float(loss) == pytest.approx(min(costs.values()), rel=1e-7)
            assert costs[int(chosen)] == pytest.approx(min(costs.values()), rel=1e-7)


def members_of(subset: list[bool]) -> set[int]:
    return {i for i, taken in enumerate(subset) if taken}


def present(group: list[int]) -> set[int]:
    return {i for i, p in enumerate(group) if p < 48}


def test_woodtaylor_groups_start_from_the_newton_point():
    rows, weights, live = layer(60)
    slope, dense = rows.mean(0), reference.block_fisher(rows, 1e-3, 8)
    inverses = block_fishers({NAME: rows}, {NAME: live.reshape(-1)}, 8, 1e-3, Monitor())
    found = ObsCurvature(inverses, gradient={NAME: slope})
    groups, every = neighbours(live, 4), torch.ones(1, 4, dtype=torch.bool)
    losses, _ = found.cheapest({NAME: weights}, {NAME: groups}, every)[NAME]
    moved = weights.reshape(-1) - torch.linalg.solve(dense, slope.double())
    members = [p for p in groups[0].tolist() if p < 48]
    right = reference.set_loss(moved, members, dense)
    assert float(losses[0]) == pytest.approx(right, rel=1e-7)


def summed_by_group(weights: Tensor, groups: list, curvature: Tensor) -> Tensor:
    """Constrained minimisers of single groups added up; members forced to zero."""
    total = torch.zeros_like(weights)
    for group in groups:
        removed = torch.zeros(len(weights), dtype=torch.bool)
        removed[[p for p in group if p < len(weights)]] = True
        total += reference.joint_update(weights, removed, curvature)
    gone = torch.tensor([p for g in groups for p in g if p < len(weights)])
    total[gone] = -weights[gone]
    return total


@fishers
def test_summed_updates_are_exact_inside_groups(samples, size):
    rows, weights, live = layer(samples)
    dense, flat = reference.block_fisher(rows, 1e-3, size), weights.reshape(-1)
    inverses = block_fishers(
        {NAME: rows}, {NAME: live.reshape(-1)}, size, 1e-3, Monitor()
    )
    found = ObsCurvature(inverses, compensation="sum")
    groups = neighbours(live, 4)[::2]
    removed = torch.zeros(49, dtype=torch.bool)
    removed[groups] = True
    removed = {NAME: removed[:-1].reshape(live.shape)}
    step = found.removal({NAME: weights}, removed, {NAME: groups}).corrections[NAME]
    right = summed_by_group(flat, groups.tolist(), dense)
    torch.testing.assert_close(step.reshape(-1), right, rtol=1e-7, atol=1e-9)
    single, _ = found.removal({NAME: weights}, removed, {NAME: groups}).predicted
    every = torch.ones(1, 4, dtype=torch.bool)
    losses, _ = found.cheapest({NAME: weights}, {NAME: groups}, every)[NAME]
    assert single == pytest.approx(float(losses.sum()), rel=1e-9)


def test_weights_that_do_not_interact_add_up():
    scores = torch.tensor([[1.0, 2.0, float("nan"), 8.0]]).double()
    live = torch.tensor([[True, True, False, True]])
    groups, found = neighbours(live, 4), Given({NAME: scores})
    every = torch.ones(1, 4, dtype=torch.bool)
    assert found.cheapest({}, {NAME: groups}, every)[NAME][0].tolist() == [11]
    losses, best = found.cheapest({}, {NAME: groups}, subsets(4, 2))[NAME]
    assert losses.tolist() == [1]  # the dead one and the first
    assert subsets(4, 2)[best[0]].tolist() == [True, False, True, False]


def test_more_zeros_than_a_subset_holds_have_no_best():
    live = torch.tensor([[True, False, False, False]])
    losses = torch.zeros(1, 6).double()
    assert cheapest(losses, subsets(4, 2), neighbours(live, 4), 4)[0] == torch.inf


def test_members_too_alike_for_float64_are_a_sentence():
    blocks = torch.ones(1, 2, 2).double()
    with pytest.raises(RunError, match="no usable inverse") as caught:
        joint_losses(torch.ones(1, 2).double(), blocks, subsets(2, 2))
    assert "damping" in caught.value.hint


def test_no_groups_are_no_trouble():
    rows, weights, live = layer(5)
    inverses = block_fishers({NAME: rows}, {NAME: live.reshape(-1)}, 8, 1e-3, Monitor())
    none = {NAME: neighbours(live, 4)[:0]}
    losses, best = ObsCurvature(inverses).cheapest(
        {NAME: weights}, none, subsets(4, 2)
    )[NAME]
    assert losses.shape == best.shape == (0,)
    assert at(weights.reshape(-1), none[NAME]).shape == (0, 4)
