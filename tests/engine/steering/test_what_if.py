"""What if: the same counts as the allocation itself, for every kind, pattern, bound."""

import time

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.allocation import ALLOCATIONS
from engine.allocation.global_threshold import GlobalThreshold
from engine.allocation.macs_budget import MacsBudget
from engine.allocation.uniform import Uniform
from engine.errors import InputError
from engine.patterns import Groups, Unstructured
from engine.steering.overrides import overridden, overriding, without_overrides
from engine.steering.ranking import LayerRanking, Ranking
from engine.steering.study import study_of
from engine.steering.what_if import WhatIf, knows
from tests.given import Given, choose_level

SHAPES = {"a": (3, 4), "b.c": (6, 10), "b[1]": (5, 7), "d": (1, 3)}
USES = {"a": 5.0, "b.c": 1.0, "b[1]": 2.0, "d": 9.0}
ONCE = dict.fromkeys(SHAPES, 1.0)  # as in a network of linear layers


class Network(torch.nn.Module):
    """Parameters of these shapes under these names."""

    def __init__(self, shapes):
        super().__init__()
        self.weights = {n: torch.nn.Parameter(torch.ones(s)) for n, s in shapes.items()}

    def get_parameter(self, name):
        return self.weights[name]

    def named_parameters(self, **_):
        return iter(self.weights.items())

    def state_dict(self):
        return dict(self.weights)


class Asked:
    """A problem with such a network."""

    def __init__(self, shapes):
        self.model = Network(shapes)

    def weights(self):
        return {name: w.detach() for name, w in self.model.weights.items()}


def made(seed, gone=0.2, ties=False):
    """Saliencies and masks; ties are many equal saliencies."""
    stream = torch.Generator().manual_seed(seed)
    scores, masks = {}, {}
    for name, shape in SHAPES.items():
        drawn = torch.rand(shape, generator=stream, dtype=torch.float64)
        scores[name] = (drawn * 4).round() if ties else drawn - 0.1
        masks[name] = torch.rand(shape, generator=stream) >= gone
    return scores, masks


def what_if(scores, masks, pattern=None, uses=USES):
    pattern, given_ = pattern or Unstructured(), Given(scores)
    units = pattern.units(given_, scores, masks)
    study = study_of(Asked(SHAPES), given_, masks, units, uses)
    return WhatIf(study.ranking), study


def zeros_of(allocation, scores, masks, pattern=None, uses=USES):
    choice = choose_level(allocation, scores, masks, allocation.sparsity, uses, pattern)
    return {n: int((~m).sum()) for n, m in choice.masks.items()}, choice


bounds = st.dictionaries(
    st.sampled_from(["a", "b.c", "b[[]1]", "d", "b"]), st.floats(0, 1), max_size=3
)


@settings(max_examples=150)
@given(
    st.sampled_from(ALLOCATIONS), st.floats(0, 0.999), bounds, bounds,
    st.integers(0, 10**6), st.booleans(), st.sampled_from([0.0, 0.3]),
    st.sampled_from([None, Groups(size=3)]), st.sampled_from([0.0, 0.4]),
    st.sampled_from([USES, ONCE]),
)  # fmt: skip
@example(  # floors that groups cannot meet
    MacsBudget, 0.0, {"a": 1.0, "b.c": 1.0}, {}, 115, False, 0.0, Groups(size=3), 0.0,
    USES,
)  # fmt: skip
def test_it_foretells_what_the_allocation_does(
    kind, sparsity, floor, ceiling, seed, ties, power, pattern, gone, uses
):
    scores, masks = made(seed, gone, ties)
    more = {"macs_power": power} if "macs_power" in kind.model_fields else {}
    allocation = kind(sparsity=sparsity, floor=floor, ceiling=ceiling, **more)
    asked, study = what_if(scores, masks, pattern, uses)
    try:
        forecast = asked.forecast(asked.within_reach(allocation))
    except InputError:
        return  # a floor above a ceiling; the allocation refuses it as well
    allocation = asked.within_reach(allocation)
    allocation.check(masks, uses)
    zeros, choice = zeros_of(allocation, scores, masks, pattern, uses)
    assert forecast.zeros == zeros
    assert all(type(count) is int for count in forecast.zeros.values())
    for name, mask in choice.masks.items():
        lowest = study.removed(forecast.units, name)
        removed = (masks[name] & ~mask).reshape(-1).nonzero().squeeze(1)
        assert sorted(lowest.tolist()) == removed.tolist()
    total = sum(m.numel() for m in masks.values())
    assert forecast.sparsity == pytest.approx(sum(zeros.values()) / total)
    assert forecast.reached == pytest.approx(allocation.progress(choice.masks, uses))


@settings(max_examples=60)
@given(
    st.sampled_from([GlobalThreshold, MacsBudget]), st.integers(0, 10**6),
    st.floats(-0.2, 1.0), bounds, st.sampled_from([None, Groups(size=3)]),
)  # fmt: skip
def test_a_common_cut_becomes_the_target_that_makes_it(kind, seed, at, floor, pattern):
    scores, masks = made(seed)
    asked, _ = what_if(scores, masks, pattern)
    begun = asked.within_reach(kind(floor=floor))
    moved = asked.cut_all(begun, at)
    zeros, _ = zeros_of(moved, scores, masks, pattern)
    assert asked.forecast(moved).zeros == zeros
    if not floor and not pattern:
        for name, mask in masks.items():
            below = int((scores[name][mask] < at).sum())
            removed = zeros[name] - int((~mask).sum())
            assert removed in (below, int(mask.sum()) - 1)


@settings(max_examples=60)
@given(
    st.sampled_from(ALLOCATIONS), st.integers(0, 10**6), st.floats(-0.2, 1.0),
    st.sampled_from(list(SHAPES)), st.floats(0, 0.99), bounds,
)  # fmt: skip
def test_a_layers_cut_becomes_an_override_that_makes_it(
    kind, seed, at, name, sparsity, ceiling
):
    scores, masks = made(seed)
    asked, _ = what_if(scores, masks)
    begun = asked.within_reach(kind(sparsity=sparsity, ceiling=ceiling))
    moved = asked.cut_layer(begun, name, at)
    moved.check(masks, USES)
    zeros, _ = zeros_of(moved, scores, masks)
    forecast = asked.forecast(moved)
    assert forecast.zeros == zeros
    size, share = masks[name].numel(), overridden(moved, name)
    if zeros[name] > int((~masks[name]).sum()):  # else a ceiling below what is gone
        assert abs(zeros[name] - share * size) < 1
    wanted = int((scores[name][masks[name]] < at).sum())
    alive = int(masks[name].sum())
    if not any(key[0] == name[0] for key in ceiling):
        assert zeros[name] - masks[name].numel() + alive == min(
            wanted, max(alive - 1, 0)
        )


def test_an_override_stops_at_the_bounds_of_others_and_can_be_taken_back():
    scores, masks = made(1, gone=0.0)
    asked, _ = what_if(scores, masks)
    begun = GlobalThreshold(sparsity=0.3, ceiling={"b": 0.4})
    moved = asked.set_layer(begun, "b.c", 0.9)
    assert overridden(moved, "b.c") == pytest.approx(0.4)
    assert moved.sparsity == 0.3
    odd = asked.set_layer(begun, "b[1]", 0.2)
    assert overridden(odd, "b[1]") == pytest.approx(7 / 35)
    assert without_overrides(odd, ["b[1]", "b"]) == begun


def test_a_target_that_others_cannot_make_up_for_gives_way():
    scores, masks = made(2, gone=0.0)
    asked, _ = what_if(scores, masks)
    allocation = GlobalThreshold(sparsity=0.9)
    for name in SHAPES:
        allocation = asked.set_layer(allocation, name, 0.25)
    zeros, _ = zeros_of(allocation, scores, masks)
    assert zeros == {"a": 3, "b.c": 15, "b[1]": 9, "d": 1}
    assert allocation.sparsity == pytest.approx(28 / 110)


def test_excluded_layers_take_no_part():
    scores, masks = made(3, gone=0.0)
    asked, _ = what_if(scores, masks)
    forecast = asked.forecast(GlobalThreshold(sparsity=0.5, exclude=("b",)))
    assert set(forecast.zeros) == {"a", "b[1]", "d"}
    assert sum(forecast.zeros.values()) == 25


def test_losses_macs_and_bytes_are_those_of_what_goes():
    layer = LayerRanking("a", (), 8, 1, 10.0, 4, np.array([0.5, 1, 2, 3, 4, 5, 6]))
    ranking = Ranking({"a": layer}, 0.25, 180.0, 72)
    found = WhatIf(ranking).forecast(GlobalThreshold(sparsity=0.5))
    assert found.units == {"a": 3} and found.zeros == {"a": 4}
    assert found.loss == pytest.approx(0.5 + 1 + 2 - 0.25)
    assert found.macs == 180 - 40
    assert found.bytes == 72 - 32 + 4 * 4 + 1
    assert found.cut == 2
    unknown = WhatIf(Ranking({"a": layer}, None, 180.0, 72))
    assert unknown.forecast(GlobalThreshold()).loss is None


def test_every_kind_of_allocation_is_known():
    assert all(knows(kind()) for kind in ALLOCATIONS)


def test_a_look_up_is_quick_in_a_network_of_a_hundred_layers():
    stream = np.random.default_rng(0)
    layers = {
        f"l{i}": LayerRanking(
            f"l{i}", (), 20_000, 0, 1.0, 4, np.sort(stream.lognormal(-20, 4, 20_000))
        )
        for i in range(100)
    }
    asked = WhatIf(Ranking(layers, 0.0, 2e6, 8_000_000))
    asked.forecast(GlobalThreshold(sparsity=0.5))  # sums are made once

    def took() -> float:
        began = time.perf_counter()
        asked.forecast(asked.cut_all(GlobalThreshold(), 1e-9))
        return time.perf_counter() - began

    assert min(took() for _ in range(5)) < 0.1  # the machine may be busy
    assert asked.forecast(Uniform(sparsity=0.5)).sparsity == pytest.approx(0.5)


def test_an_override_changes_nothing_but_its_layer():
    begun = GlobalThreshold(floor={"a": 0.1}, ceiling={"b.*": 0.5})
    moved = overriding(begun, "b[1]", 0.3)
    assert moved.floor == {"a": 0.1, "b[[]1]": 0.3}
    assert moved.ceiling == {"b.*": 0.5, "b[[]1]": 0.3}
    assert overridden(begun, "a") is None
