"""N:M: the best set of every group, and no other number of zeros."""

import itertools

import pytest
import torch

from engine.allocation import ALLOCATIONS, GlobalThreshold
from engine.curvature.block_fishers import block_fishers
from engine.curvature.groups import neighbours
from engine.curvature.obs import ObsCurvature
from engine.errors import InputError
from engine.monitor import Monitor
from engine.patterns import NM
from engine.recipe import parse
from tests import given as granted
from tests import reference

ALL = 0.999
ONCE = {"a": 1.0}
ratios = pytest.mark.parametrize(
    ("kept", "group"), [(2, 4), (1, 4), (4, 8), (3, 4), (1, 2), (7, 8)]
)
allocations = pytest.mark.parametrize("kind", ALLOCATIONS)


def layers(*shapes):
    return {f"l{i}": torch.rand(shape).double() for i, shape in enumerate(shapes)}


def dense(scores):
    return {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}


def choose(scores, masks, sparsity, pattern, kind=GlobalThreshold):
    return granted.choose(kind(), scores, masks, sparsity, pattern)


def counts(mask, group):
    """Weights kept in every group."""
    every = torch.ones_like(mask)
    return mask.reshape(-1)[neighbours(every, group)].sum(1)


def sparsity(zeros, masks):
    return sum(zeros.values()) / sum(mask.numel() for mask in masks.values())


@ratios
@allocations
def test_every_group_has_exactly_the_pattern(kept, group, kind):
    scores, pattern = layers((4, 16), (3, 8, 2, 2)), NM(kept=kept, group=group)
    masks = dense(scores)
    zeros, notes = pattern.limits(masks)
    most = sparsity(zeros, masks)
    assert most == pytest.approx(1 - kept / group) and notes == ()
    choice = choose(scores, masks, most, pattern, kind)
    assert choice.notes == () and choice.thresholds == dict.fromkeys(masks)
    for mask in choice.masks.values():
        assert (counts(mask, group) == kept).all()


@ratios
def test_the_set_of_least_joint_loss_goes(kept, group):
    rows, weights = torch.randn(9, 32), torch.randn(2, 16).double()
    masks = {"a": torch.ones(2, 16, dtype=torch.bool)}
    flat = {"a": masks["a"].reshape(-1)}
    found = ObsCurvature(block_fishers({"a": rows}, flat, 0, 1e-3, Monitor()))
    pattern = NM(kept=kept, group=group)
    choice = pattern.choose(found, {"a": weights}, masks, GlobalThreshold(), ALL, ONCE)
    fisher = reference.fisher(rows, 1e-3)
    for members in torch.arange(32).reshape(-1, group):
        ways = {}
        for way in itertools.combinations(members.tolist(), group - kept):
            ways[way] = reference.set_loss(weights.reshape(-1), list(way), fisher)
        gone = members[~choice.masks["a"].reshape(-1)[members]]
        assert tuple(gone.tolist()) == min(ways, key=ways.get)


def test_no_mask_of_a_small_layer_loses_less():
    rows, weights = torch.randn(9, 12), torch.randn(1, 12).double()
    masks = {"a": torch.ones(1, 12, dtype=torch.bool)}
    flat = {"a": masks["a"].reshape(-1)}
    found = ObsCurvature(block_fishers({"a": rows}, flat, 4, 1e-3, Monitor()))
    choice = NM().choose(found, {"a": weights}, masks, GlobalThreshold(), 0.5, ONCE)
    fisher = reference.block_fisher(rows, 1e-3, 4)  # a group is a block
    losses = {}
    for ways in itertools.product(itertools.combinations(range(4), 2), repeat=3):
        removed = torch.zeros(12, dtype=torch.bool)
        removed[[4 * g + i for g, way in enumerate(ways) for i in way]] = True
        step = reference.joint_update(weights.reshape(-1), removed, fisher)
        losses[tuple(removed.tolist())] = reference.quadratic(step, fisher)
    assert len(losses) == 216
    chosen = tuple((~choice.masks["a"]).reshape(-1).tolist())
    assert chosen == min(losses, key=losses.get)


@allocations
def test_below_its_sparsity_the_share_of_groups_grows(kind):
    scores, pattern = layers((8, 16), (4, 8)), NM()
    masks, before = dense(scores), 0
    for sparsity in (0.1, 0.25, 0.4, 0.5):
        choice = choose(scores, masks, sparsity, pattern, kind)
        each = torch.cat([counts(mask, 4) for mask in choice.masks.values()])
        assert set(each.tolist()) <= {2, 4}
        share = int((each == 2).sum())
        assert before < share == pytest.approx(sparsity / 0.5 * 40, abs=1)
        masks, before = choice.masks, share


def test_partly_converted_the_cheapest_groups_have_it():
    scores = {"a": torch.tensor([[5, 1, 9, 2, 1, 1, 1, 9.0]]).double()}
    choice = choose(scores, dense(scores), 0.25, NM())
    assert choice.masks["a"].int().tolist() == [[1, 1, 1, 1, 0, 0, 1, 1]]
    assert choice.thresholds == {"a": 1.5}  # (1 + 2) / 2 for the other group
    assert choice.scores["a"].tolist() == [[5, 1.5, 9, 1.5, 1, 1, 1, 9]]


@allocations
def test_zeros_that_were_there_count_in_their_group(kind):
    scores = layers((6, 16))
    masks = {"l0": torch.rand(6, 16) < 0.7}
    masks["l0"][0, :4] = False  # fewer than two are left
    masks["l0"][1, :4] = torch.tensor([True, False, True, True])
    scores["l0"][1, 3] = 0  # as cheap as the one that is gone
    most = sparsity(NM().limits(masks)[0], masks)
    choice = choose(scores, masks, most, NM(), kind)
    left, had = counts(choice.masks["l0"], 4), counts(masks["l0"], 4)
    assert torch.equal(left, had.clamp_max(2))
    assert most == pytest.approx(1 - float(left.sum()) / 96)
    assert not (choice.masks["l0"] & ~masks["l0"]).any()


def test_layers_that_do_not_divide_are_left_alone_and_named():
    scores = layers((4, 8), (3, 6), (2, 3, 3, 3))
    masks = dense(scores)
    zeros, notes = NM().limits(masks)
    assert zeros == {"l0": 16, "l1": 0, "l2": 0}
    assert "Rows of l1, l2 do not divide by 4" in notes[0]
    choice = choose(scores, masks, 0.9, NM())
    assert choice.masks["l1"].all() and choice.masks["l2"].all()
    assert (counts(choice.masks["l0"], 4) == 2).all()
    (short,) = choice.notes
    assert "more than the pattern can take, which makes 15.38 %" in short.message
    assert short.level == "warning"


def test_a_network_where_nothing_divides_stays_as_it_is():
    scores = layers((3, 6))
    choice = choose(scores, dense(scores), 0.5, NM())
    assert choice.masks["l0"].all() and choice.thresholds == {"l0": None}


@pytest.mark.parametrize(("kept", "group"), [(4, 4), (5, 4), (0, 4), (2, 9)])
def test_patterns_that_are_none_are_refused(kept, group):
    with pytest.raises(InputError, match="pattern"):
        parse({"pattern": {"kind": "n_m", "kept": kept, "group": group}})
