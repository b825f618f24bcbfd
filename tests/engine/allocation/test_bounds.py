"""Floors, ceilings and the MACs exponent, against every possible choice."""

import math

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import engine
from engine import masks as masking
from engine.allocation import ALLOCATIONS, GlobalThreshold, Uniform
from engine.errors import InputError
from engine.events import ModelLoaded, Noticed, Pruned
from engine.recipe import Recipe, with_changes
from tests.given import candidates, choose
from tests.reference import cheapest_removal

allocations = pytest.mark.parametrize("kind", ALLOCATIONS)
QUICK = {
    "estimator.kind": "magnitude",
    "finetune.epochs": 0,
    "machine.threads": 1,
    "machine.device": "cpu",
}
USES = dict.fromkeys(("l0", "l1", "l2", "l3"), 1.0)


def dense(scores):
    return {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}


def layers(*values):
    return {f"l{i}": torch.tensor(v, dtype=torch.float64) for i, v in enumerate(values)}


def gone(choice):
    return [int((~mask).sum()) for mask in choice.masks.values()]


def test_a_floor_takes_the_lowest_of_its_layer_first():
    scores = layers([1, 2, 3, 4], [50, 60, 70, 80])
    allocation = GlobalThreshold(sparsity=3 / 8, floor={"l1": 0.5})
    choice = choose(allocation, scores, dense(scores), 3 / 8)
    assert gone(choice) == [1, 2]
    assert choice.masks["l1"].tolist() == [False, False, True, True]
    assert choice.thresholds == {"l0": 2, "l1": 70} and choice.notes == ()


def test_a_ceiling_holds_and_the_others_make_up_for_it():
    scores = layers([1, 2, 3, 4], [50, 60, 70, 80])
    choice = choose(GlobalThreshold(ceiling={"l0": 0.25}), scores, dense(scores), 3 / 8)
    assert gone(choice) == [1, 2] and choice.notes == ()


@allocations
def test_ceilings_and_floors_hold_in_every_allocation(kind):
    torch.manual_seed(0)
    scores = {f"l{i}": torch.rand(40) for i in range(4)}
    bounds = {"floor": {"l0": 0.9}, "ceiling": {"l[12]": 0.25}}
    choice = choose(kind(sparsity=0.5, **bounds), scores, dense(scores), 0.5)
    counts = gone(choice)
    assert sum(counts) == 80 and counts[0] >= 36 and counts[1] <= 10 >= counts[2]
    if kind is Uniform:
        assert counts == [36, 10, 10, 24]
    for name, mask in choice.masks.items():
        assert scores[name][mask].min() > scores[name][~mask].max()


share = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 4), min_size=1, max_size=3),
    floors=st.lists(share, min_size=3, max_size=3),
    ceilings=st.lists(share, min_size=3, max_size=3),
    sparsity=st.floats(0.05, 0.95),
    seed=st.integers(0, 999),
)
@example([3, 4, 3], [0.0, 0.0, 0.5], [0.0, 0.0, 0.5], 0.05, 0)  # half a weight
def test_the_global_choice_is_the_cheapest_that_fits(
    sizes, floors, ceilings, sparsity, seed
):
    torch.manual_seed(seed)
    scores = {f"l{i}": torch.rand(n, dtype=torch.float64) for i, n in enumerate(sizes)}
    bounds = {n: (floors[i], ceilings[i]) for i, n in enumerate(scores)}
    assume(all(least <= most for least, most in bounds.values()))
    allocation = GlobalThreshold(
        sparsity=sparsity,
        floor={n: least for n, (least, _) in bounds.items()},
        ceiling={n: most for n, (_, most) in bounds.items()},
    )
    last = [size - 1 for size in sizes]  # every layer keeps one
    low = [min(int(floors[i] * n), last[i]) for i, n in enumerate(sizes)]
    high = [min(math.ceil(ceilings[i] * n), last[i]) for i, n in enumerate(sizes)]
    count = round(sparsity * sum(sizes))
    every = torch.cat(list(scores.values()))
    best = cheapest_removal(every, sizes, low, high, count)
    if best is None:
        with pytest.raises(InputError, match=r"floors remove|ceilings let"):
            allocation.check(dense(scores), USES)
        return
    allocation.check(dense(scores), USES)
    choice = choose(allocation, scores, dense(scores), sparsity)
    removed = torch.cat([~mask for mask in choice.masks.values()])
    assert tuple(removed.nonzero().squeeze(1).tolist()) == best


@allocations
@settings(max_examples=60, deadline=None)
@given(
    floors=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    ceilings=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    sparsity=st.floats(0.05, 0.95),
    seed=st.integers(0, 999),
)
def test_bounds_hold_through_a_schedule(kind, floors, ceilings, sparsity, seed):
    torch.manual_seed(seed)
    scores = {f"l{i}": torch.rand(n) for i, n in enumerate((20, 35, 7))}
    ceilings = [sparsity + share * (1 - sparsity) for share in ceilings]
    allocation = kind(
        sparsity=sparsity,
        floor={n: floors[i] * sparsity for i, n in enumerate(scores)},
        ceiling={n: ceilings[i] for i, n in enumerate(scores)},
    )
    masks = dense(scores)
    try:
        allocation.check(masks, USES)
    except InputError:
        assume(False)
    for level in (0.3 * sparsity, 0.7 * sparsity, sparsity):
        masks = choose(allocation, scores, masks, level).masks
        assert masking.zeros(masks) == round(level * 62)
        for i, (name, mask) in enumerate(masks.items()):
            lost = int((~mask).sum())
            assert lost <= min(math.ceil(ceilings[i] * len(mask)), len(mask) - 1)
            least = allocation.floor[name] * level / sparsity * len(mask)
            assert lost >= min(int(least), len(mask) - 1) - 1  # rounding of the step


def test_a_step_too_small_for_its_floors_says_so():
    scores = layers([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12])
    before = dense(scores)
    before["l0"][:5] = False  # zeros that came with the network
    allocation = GlobalThreshold(sparsity=0.8, floor={"l1": 0.8})
    choice = choose(allocation, scores, before, 0.5)
    assert gone(choice) == [5, 1]
    assert "as far as it goes" in choice.notes[0].message


@allocations
def test_bounds_that_leave_no_room_are_refused_before_the_run(kind):
    masks = dense(layers([1] * 10, [1] * 10))
    with pytest.raises(InputError, match=r"floors remove 45.00 %.* target of 20.00 %"):
        kind(sparsity=0.2, floor={"l0": 0.9}).check(masks, USES)
    with pytest.raises(InputError, match=r"ceilings let 30.00 %.* target of 80.00 %"):
        kind(sparsity=0.8, ceiling={"l0": 0.5, "l1": 0.1}).check(masks, USES)
    with pytest.raises(InputError, match=r"floor of l0, 90.00 %, is above"):
        kind(sparsity=0.8, floor={"l*": 0.9}, ceiling={"l0": 0.5}).check(masks, USES)
    kind(sparsity=0.9, floor={"*": 0.9}, ceiling={"*": 0.9}).check(masks, USES)


@pytest.mark.parametrize("bad", [{"fc": 1.5}, {"fc": "x"}, {"fc": -0.1}, ["fc"]])
def test_what_is_no_share_is_refused(bad):
    with pytest.raises(InputError, match=r"allocation\.floor"):
        with_changes(Recipe(), {"allocation.floor": bad})


def test_costly_layers_lose_more_with_the_macs_exponent():
    scores = layers([4, 5, 6, 7], [8, 9, 10, 11])
    uses = {"l0": 1.0, "l1": 16.0}
    units = candidates(scores)
    ranked = GlobalThreshold(macs_power=0.5).ranked(units, uses)
    assert torch.equal(ranked["l0"].scores, scores["l0"])
    assert torch.allclose(ranked["l1"].scores, scores["l1"] / 4)
    assert GlobalThreshold().ranked(units, uses) == units
    unseen = GlobalThreshold(macs_power=0.5).ranked(units, {"l0": 0.0, "l1": 0.0})
    assert torch.equal(unseen["l1"].scores, scores["l1"])


def run(tmp_path, **changes):
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    events = []
    recipe = with_changes(Recipe(), {**QUICK, **dotted})
    engine.run(recipe, tmp_path / "run", events.append)
    costs = next(e.layers for e in events if isinstance(e, ModelLoaded))
    uses = {layer.name: layer.macs / layer.weights for layer in costs}
    last = [e for e in events if isinstance(e, Pruned)][-1]
    return events, last, sum(s.zeros * uses[s.name] for s in last.layers)


def test_a_run_keeps_to_its_bounds(tmp_path):
    floors, ceilings = {"fc": 0.6}, {"conv1": 0.25}
    _, last, _ = run(tmp_path, allocation__floor=floors, allocation__ceiling=ceilings)
    sparse = {layer.name: layer.sparsity for layer in last.layers}
    assert sparse["conv1.weight"] <= 0.25 + 1 / 144 and sparse["fc.weight"] >= 0.6


@pytest.mark.parametrize("bound", ["floor", "ceiling"])
def test_a_bound_of_no_layer_is_refused_before_the_run(tmp_path, bound):
    key = f"allocation.{bound}"
    wrong = with_changes(Recipe(), {**QUICK, key: {"fc": 0.5, "layr1": 0.5}})
    for attempt in (
        lambda: engine.run(wrong, tmp_path / "x"),
        lambda: engine.plan(wrong),
    ):
        with pytest.raises(InputError, match=f"'layr1', as {key} has it") as caught:
            attempt()
        assert caught.value.hint == "The nearest name is 'layer1'."
    assert not (tmp_path / "x").exists()
    heard = []
    engine.inspect(wrong, heard.append)
    assert isinstance(heard[-1], Noticed) and "'layr1'" in heard[-1].message


def test_an_exclusion_of_no_layer_is_told_with_the_nearest_name(tmp_path):
    odd = with_changes(Recipe(), {**QUICK, "allocation.exclude": ["zzz", "fc.wait"]})
    heard = []
    engine.inspect(odd, heard.append)
    hints = [e.hint for e in heard if isinstance(e, Noticed)]
    assert hints == [
        "The layer table and `python -m engine inspect` list the layers.",
        "The nearest name is 'fc.weight'.",
    ]
    assert any("'zzz'" in reason for reason in engine.plan(odd).reasons)


def test_the_exponent_saves_multiply_accumulates_in_a_run(tmp_path):
    (tmp_path / "a").mkdir()
    _, plain, saved = run(tmp_path / "a", allocation__sparsity=0.6)
    _, priced, more = run(
        tmp_path, allocation__sparsity=0.6, allocation__macs_power=1.0
    )
    assert priced.zeros == plain.zeros and more > saved


def test_a_run_and_a_plan_refuse_what_cannot_be(tmp_path):
    capped = with_changes(Recipe(), {**QUICK, "allocation.ceiling": {"*": 0.5}})
    for attempt in (
        lambda: engine.run(capped, tmp_path / "x"),
        lambda: engine.plan(capped),
    ):
        with pytest.raises(InputError, match="ceilings let"):
            attempt()
    assert not (tmp_path / "x").exists()
