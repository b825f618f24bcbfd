"""The MACs budget: met to within one weight, by one change of the network."""

import json

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import engine
from engine import masks as masking
from engine.allocation import MacsBudget
from engine.errors import InputError
from engine.events import LevelsPlanned, ModelLoaded, Noticed, PhaseStarted, Pruned
from engine.recipe import Recipe, with_changes
from tests.given import candidates, choose_level

USES = {"l0": 1.0, "l1": 4.0, "l2": 64.0}


def layers(sizes=(20, 30, 25)):
    return {f"l{i}": torch.rand(n, dtype=torch.float64) for i, n in enumerate(sizes)}


def dense(scores):
    return {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items()}


def macs(masks, kept):
    return sum(float((mask == kept).sum()) * USES[n] for n, mask in masks.items())


def choose(allocation, scores, masks, level):
    return choose_level(allocation, scores, masks, level, USES)


def plain(scores, wanted):
    """One weight after the other, the lowest first, until enough is gone."""
    every = sorted(
        (float(s), name, i) for name, v in scores.items() for i, s in enumerate(v)
    )
    last = {name: int(v.argmax()) for name, v in scores.items()}
    masks, gone = dense(scores), 0.0
    for _, name, i in every:
        if gone >= wanted - 1e-6:
            break
        if i != last[name]:
            masks[name][i] = False
            gone += USES[name]
    return masks


@settings(max_examples=60, deadline=None)
@given(level=st.floats(0.001, 0.9), seed=st.integers(0, 999))
def test_it_removes_as_few_of_the_lowest_as_it_takes(level, seed):
    torch.manual_seed(seed)
    scores = layers()
    masks = dense(scores)
    choice = choose(MacsBudget(sparsity=0.9), scores, masks, level)
    wanted = level * macs(masks, True)
    right = plain(scores, wanted)
    assert all(torch.equal(choice.masks[n], right[n]) for n in scores)
    assert wanted - 1e-5 <= macs(choice.masks, False) < wanted + max(USES.values())


@settings(max_examples=40, deadline=None)
@given(
    least=st.floats(0, 1), most=st.floats(0, 1), level=st.floats(0.1, 0.9),
    seed=st.integers(0, 999),
)  # fmt: skip
def test_with_bounds_and_zeros_that_are_there_it_is_met_too(least, most, level, seed):
    torch.manual_seed(seed)
    scores = layers()
    masks = {name: torch.rand(len(s)) < 0.9 for name, s in scores.items()}
    allocation = MacsBudget(
        sparsity=level, floor={"l0": least}, ceiling={"l2": level + (1 - level) * most}
    )
    total = sum(len(s) * USES[n] for n, s in scores.items())
    assume(macs(masks, False) < level * total)
    try:
        allocation.check(masks, USES)
    except InputError:
        assume(False)
    choice = choose(allocation, scores, masks, level)
    reached = macs(choice.masks, False)
    lost = {name: int((~mask).sum()) for name, mask in choice.masks.items()}
    assert lost["l0"] >= min(int(least * 20), 19)
    room = any(lost[n] < len(s) - 1 for n, s in scores.items() if n != "l2")
    assert reached >= level * total - 1e-5 or not room
    floors = max(int(least * 20) - int((~masks["l0"]).sum()), 0)
    assert reached < level * total + max(USES.values()) + floors


def test_costs_decide_how_many_weights_go():
    scores = {"l0": torch.arange(1.0, 101), "l2": torch.arange(1.0, 101) + 0.5}
    uses = {"l0": 1.0, "l2": 99.0}
    plain, priced = MacsBudget(sparsity=0.5), MacsBudget(sparsity=0.5, macs_power=1.0)
    masks, units = dense(scores), candidates(scores)
    at = [
        allocation.sparsity_at(0.5, allocation.ranked(units, uses), masks, uses)
        for allocation in (plain, priced)
    ]
    assert at[0] == 0.5 and at[1] < 0.27  # the costly layer alone nearly suffices


def test_what_cannot_be_is_refused():
    masks = dense(layers())
    with pytest.raises(InputError, match="No multiply-accumulates were seen"):
        MacsBudget().check(masks, dict.fromkeys(USES, 0.0))
    with pytest.raises(InputError, match=r"ceilings let .*% of the multiply-acc"):
        MacsBudget(sparsity=0.9, ceiling={"l2": 0.5}).check(masks, USES)
    with pytest.raises(InputError, match=r"floors remove .*% of the multiply-acc"):
        MacsBudget(sparsity=0.2, floor={"l2": 0.5}).check(masks, USES)


@pytest.mark.parametrize("schedule", ["one_shot", "gradual"])
def test_a_run_meets_the_budget_and_says_so(tmp_path, schedule):
    events = []
    recipe = with_changes(
        Recipe(),
        {
            "estimator.samples": 32,
            "allocation.kind": "macs",
            "allocation.sparsity": 0.7,
            "allocation.macs_power": 0.3,
            "schedule.kind": schedule,
            "finetune.epochs": 0 if schedule == "one_shot" else 2,
            **({"schedule.end": 2} if schedule == "gradual" else {}),
            "machine.threads": 1,
            "machine.device": "cpu",
        },
    )
    engine.run(recipe, tmp_path / "run", events.append)
    table = next(e.layers for e in events if isinstance(e, ModelLoaded))
    prunable = [layer for layer in table if layer.status == "prunable"]
    uses = {layer.name: layer.macs / layer.weights for layer in prunable}
    total = sum(layer.macs for layer in prunable)
    prunes = [e for e in events if isinstance(e, Pruned)]
    planned = next(e for e in events if isinstance(e, LevelsPlanned))
    assert planned.of == "multiply-accumulates" and len(prunes) == len(planned.epochs)
    for level, event in zip(planned.sparsities, prunes, strict=True):
        gone = sum(state.zeros * uses[state.name] for state in event.layers)
        assert 0 <= gone - level * total + 1e-3 <= max(uses.values()) + 1e-3
    phases = [e.name for e in events if isinstance(e, PhaseStarted)]
    assert phases.count("selection") == len(prunes)  # one update a step
    said = [e.message for e in events if isinstance(e, Noticed)]
    assert sum("multiply-accumulates are gone" in text for text in said) == len(prunes)
    told = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert told["macs_dense"] == sum(layer.macs for layer in table)
    assert told["macs_dense"] - told["macs"] == pytest.approx(gone)
    assert told["sparsity"] == prunes[-1].sparsity != pytest.approx(0.7, abs=1e-4)


def test_masks_have_the_number_of_zeros_that_was_found():
    scores = layers((997, 3001, 11))
    allocation = MacsBudget(sparsity=0.9)
    at = allocation.sparsity_at(0.77, candidates(scores), dense(scores), USES)
    masks = choose(allocation, scores, dense(scores), 0.77).masks
    assert masking.zeros(masks) == round(at * 4009) == pytest.approx(at * 4009)
