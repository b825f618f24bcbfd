"""Blocks of so many live weights: dense matrices over exactly those, pages, looks."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.curvature.block_fishers import block_fishers
from engine.curvature.groups import neighbours
from engine.curvature.layout import Layout, LiveWeights, runs_of_blocks
from engine.curvature.obs import ObsCurvature
from engine.estimators import WoodFisher
from engine.gradients import pages as pages_module
from engine.gradients.pages import Pages, Storage
from engine.looking.sampling import draw_weights
from engine.looking.take_apart import Gradients
from engine.monitor import Monitor
from tests import reference
from tests.cases import Residual, keep_some, problem

NAME, NUMEL, DAMPING = "layer", 48, 1e-3
SHAPE = (3, 4, 2, 2)
# N < c and N > c, short last blocks, one block
fishers = pytest.mark.parametrize(
    ("samples", "size"), [(5, 7), (5, 0), (5, 1), (40, 7), (40, 3), (40, 100)]
)


def layer(samples: int, share: float = 0.4) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Correlated gradients, weights, those alive and those to remove of them."""
    mix = torch.randn(NUMEL, NUMEL) / NUMEL**0.5 + torch.eye(NUMEL)
    live = torch.rand(NUMEL) < share
    live[10:20], live[20:24] = False, share > 0  # one block reaches over a long gap
    removed = live & (torch.rand(NUMEL) < 0.5)
    rows = torch.randn(samples, NUMEL) @ mix * live
    return rows, torch.randn(NUMEL).double() * live, live, removed


def inverse(rows: Tensor | Pages, live: Tensor, size: int):
    given = {NAME: rows}, {NAME: live}, LiveWeights(size), DAMPING, Monitor()
    return block_fishers(*given)[NAME]


def test_blocks_are_neighbours_among_the_live():
    live = torch.tensor([letter == "x" for letter in "x..xxx...x"])
    layout = Layout(live, LiveWeights(2))
    assert layout.index.tolist() == [[0, 3], [4, 5], [9, 10]]
    runs = [slice(0, 4), slice(4, 9), slice(9, 10)]
    assert runs_of_blocks(live, LiveWeights(2), 1) == runs
    assert runs_of_blocks(live, LiveWeights(2), 2) == [slice(0, 9), slice(9, 10)]
    nobody = torch.zeros(4, dtype=torch.bool)
    assert Layout(nobody, LiveWeights(3)).index.tolist() == [[4]]
    assert runs_of_blocks(nobody, LiveWeights(3), 1) == [slice(0, 4)]


@pytest.mark.parametrize("size", [0, 3, 8, 48, 99])
def test_a_dense_layer_is_cut_as_by_position(size):
    live = torch.ones(NUMEL, dtype=torch.bool)
    same = Layout(live, size).index, Layout(live, LiveWeights(size)).index
    assert torch.equal(*same)
    for count in (1, 4):
        runs = runs_of_blocks(live, LiveWeights(size), count)
        assert runs == runs_of_blocks(live, size, count)


@fishers
def test_the_inverse_is_the_dense_one_over_those_weights(samples, size):
    rows, weights, live, removed = layer(samples)
    fisher = reference.block_fisher(rows, DAMPING, size, live)
    dense, found = torch.linalg.inv(fisher), inverse(rows, live, size)
    torch.testing.assert_close(found.diag(), dense.diag())
    torch.testing.assert_close(found.solve(weights), dense @ weights)
    groups = neighbours(live.reshape(SHAPE), 4)
    right = reference.within(dense, groups)
    torch.testing.assert_close(found.within(groups), right, rtol=1e-8, atol=1e-8)
    for kind, update in (
        ("sum", reference.summed_updates),
        ("joint", reference.joint_update),
    ):
        step = ObsCurvature({NAME: found}, kind).removal(
            {NAME: weights}, {NAME: removed}
        )
        right = update(weights, removed, fisher)
        torch.testing.assert_close(step.corrections[NAME], right, rtol=1e-7, atol=1e-9)
    exact = reference.quadratic(
        reference.joint_update(weights, removed, fisher), fisher
    )
    assert step.predicted[1] == pytest.approx(exact, rel=1e-8)


@fishers
def test_greedy_order_goes_through_all_of_a_block(samples, size):
    rows, weights, live, _ = layer(samples)
    found = inverse(rows, live, size).greedy(weights)
    right = torch.zeros(NUMEL).double()
    for block in live.nonzero().squeeze(1).split(size or NUMEL):
        dense, highest = reference.fisher(rows[:, block], DAMPING), 0.0
        for index, loss in reference.greedy_elimination(weights[block], dense):
            highest = max(highest, loss)
            right[block[index]] = highest
    torch.testing.assert_close(found, right, rtol=1e-7, atol=0)


def answers(found, weights: Tensor, live: Tensor, removed: Tensor) -> tuple:
    groups = neighbours(live.reshape(SHAPE), 4)
    curvature = ObsCurvature({NAME: found}, "joint")
    step = curvature.removal({NAME: weights}, {NAME: removed}).corrections[NAME]
    asked = found.diag(), found.solve(weights), found.within(groups)
    return *asked, found.greedy(weights), step, found.damping


@pytest.mark.parametrize("samples", [5, 40])
@pytest.mark.parametrize("size", [3, 7, 0])
@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("blocks_of_a_page", [1, 2])
def test_pages_give_what_memory_gives(
    tmp_path, monkeypatch, samples, size, share, blocks_of_a_page
):
    monkeypatch.setattr(
        pages_module, "PAGE", blocks_of_a_page * samples * (size or NUMEL) * 4
    )
    rows, weights, live, removed = layer(samples, share)
    pages = Pages(Storage(tmp_path), samples, torch.zeros(SHAPE))
    pages[0:samples] = rows
    found = [
        answers(inverse(given, live, size), weights, live, removed)
        for given in (rows, pages)
    ]
    for kept, paged in zip(*found, strict=True):
        assert torch.equal(kept, paged)


def test_a_page_is_put_together_from_small_parts(tmp_path, monkeypatch):
    """So that few live weights in a long run do not take its memory."""
    monkeypatch.setattr(pages_module, "PAGE", 5 * 4 * 6 * pages_module.PART)
    fetch, widths = Pages._fetch, []

    def noted(pages, columns):
        widths.append(columns.stop - columns.start)
        return fetch(pages, columns)

    monkeypatch.setattr(Pages, "_fetch", noted)
    rows, _, live, _ = layer(5)
    for storage in (Storage(tmp_path), Storage(half=True)):
        pages = Pages(storage, 5, torch.zeros(SHAPE))
        pages[0:5] = rows
        every = pages.read(slice(2, 45))
        widths.clear()
        assert torch.equal(pages.read(slice(2, 45), live[2:45]), every[:, live[2:45]])
        assert len(widths) > 2 and max(widths) <= 6
    assert not pages.read(slice(10, 20), live[10:20]).numel()


@pytest.mark.parametrize("paged", [False, True])
@pytest.mark.parametrize("order", ["independent", "greedy"])
def test_dense_layers_and_whole_ones_are_the_same_to_the_bit(tmp_path, paged, order):
    storage = Storage(tmp_path) if paged else Storage()
    for size, share in ((10, 1.0), (0, 0.5), (10**6, 0.5)):
        found = []
        for blocks in ("position", "live"):
            torch.manual_seed(0)
            given = replace(problem(Residual, (2, 6, 6)), storage=storage)
            kept = keep_some(given, share)
            method = WoodFisher(
                samples=20, block_size=size, blocks=blocks, order=order,
                compensation="joint",
            )  # fmt: skip
            curvature, weights = method.fit(given, kept, Monitor(), 3), given.weights()
            gone = {n: kept[n] & (w.abs() < 0.1) for n, w in weights.items()}
            steps = curvature.removal(weights, gone).corrections
            found.append((curvature.scores(weights), steps))
        for one, other in zip(*found, strict=True):
            assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_damping_study_looks_at_the_same_blocks(tmp_path):
    rows, _, live, _ = layer(5)
    masks = {NAME: live.reshape(SHAPE)}
    drawn = draw_weights(masks, "", LiveWeights(7), 10**6, 0)
    blocks = live.nonzero().squeeze(1).split(7)
    assert drawn.blocks == len(drawn.pieces) == len(blocks)
    pages = Pages(Storage(tmp_path), 5, torch.zeros(SHAPE))
    pages[0:5] = rows
    for given in (rows, pages):
        gradients, looked = Gradients({NAME: given}), []
        for piece, block in zip(drawn.pieces, blocks, strict=True):
            assert torch.equal(gradients.of(piece), rows[:, block])
            looked.append(block[piece.slots])
        assert torch.equal(torch.cat(looked), drawn.positions[NAME])
