"""Profiles: budgets met in every currency, bounds kept, against plain searches."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from engine.allocation.global_threshold import GlobalThreshold
from engine.errors import InputError
from engine.steering.events import LayerMeasured
from engine.steering.overrides import overridden, overriding
from engine.steering.profile import Profiles, loss_curve
from engine.steering.ranking import LayerRanking, Ranking
from engine.steering.spending import LayerTimes, Spending, Times
from engine.steering.what_if import WhatIf

SIZES = {"a": 40, "b": 3000, "c": 700, "d": 5}
USES = {"a": 64.0, "b": 1.0, "c": 16.0, "d": 4.0}
TIMES = Times(
    {
        "b": LayerTimes((0.0, 0.5, 1.0), (4.0, 4.0, 1.0), 4.0, 0.75),
        "c": LayerTimes((0.0, 0.5, 1.0), (3.0, 2.0, 1.0), 3.0, 0.5),
    },
    2.0,
    1,
    "cpu",
)


def layer(name, seed, zeros=0, sizes=None):
    scores = np.sort(np.random.default_rng(seed).gamma(0.5, size=SIZES[name] - zeros))
    return LayerRanking(name, (), SIZES[name], zeros, USES[name], 4, scores, sizes)


@pytest.fixture
def what_if():
    layers = {name: layer(name, seed) for seed, name in enumerate(SIZES)}
    layers["c"] = layer("c", 2, zeros=30)
    uses = sum(each.size * each.uses for each in layers.values())
    return WhatIf(Ranking(layers, 0.0, uses + 500, 4 * sum(SIZES.values()) + 400))


def spending(what_if, currency, allocation=None):
    layers = what_if.layers(allocation or GlobalThreshold())
    return Spending(what_if.ranking, layers, currency, TIMES)


def forecast(what_if, profiles, units):
    return what_if.forecast(what_if.shape(profiles.free, units))


@pytest.mark.parametrize("left", [0.7, 0.3, 0.05])
def test_the_cheapest_for_weights_is_the_global_threshold(what_if, left):
    profiles, spent = Profiles(what_if, GlobalThreshold()), spending(what_if, "weights")
    found = profiles.cheapest(spent, left * spent.whole)
    known = what_if.forecast(GlobalThreshold(sparsity=1 - left))
    assert found == known.units
    assert forecast(what_if, profiles, found).units == found


@pytest.mark.parametrize("left", [0.7, 0.3, 0.1])
def test_macs_and_bytes_are_those_of_the_forecast(what_if, left):
    profiles = Profiles(what_if, GlobalThreshold())
    for currency, slack in (("macs", 64), ("bytes", 4)):
        spent = spending(what_if, currency)
        found = profiles.cheapest(spent, left * spent.whole)
        told = forecast(what_if, profiles, found)
        used = told.macs if currency == "macs" else told.bytes
        assert spent.total(told.zeros) == pytest.approx(used)
        assert left * spent.whole - slack <= used <= left * spent.whole + 1e-6


def test_the_cheapest_for_macs_loses_no_more_than_by_one_threshold(what_if):
    """Saliency per use, greedily: optimal to within the last weight."""
    profiles, spent = Profiles(what_if, GlobalThreshold()), spending(what_if, "macs")
    found = profiles.cheapest(spent, 0.4 * spent.whole)
    layers = what_if.ranking.layers
    rows = [
        (score / each.uses, score, each.uses)
        for each in layers.values()
        for score in each.scores[: each.most]
    ]
    missing, loss = spent.total({n: e.zeros for n, e in layers.items()}), 0.0
    for _, score, uses in sorted(rows):
        if missing <= 0.4 * spent.whole:
            break
        missing, loss = missing - uses, loss + score
    assert sum(layers[n].loss(k) for n, k in found.items()) <= loss + 1e-9


def test_milliseconds_go_where_sparsity_is_worth_time(what_if):
    profiles = Profiles(what_if, GlobalThreshold())
    spent = spending(what_if, "milliseconds")
    assert spent.whole == 9.0 and spent.rest == 2.0
    found = profiles.cheapest(spent, 8.2)
    assert found["a"] == found["d"] == found["b"] == 0
    assert spent.total(what_if.ranking and zeros(what_if, found)) <= 8.2 + 1e-9
    lower = profiles.cheapest(spent, 4.5)
    assert lower["b"] > 1500 and spent.total(zeros(what_if, lower)) <= 4.5 + 1e-9


def zeros(what_if, units):
    layers = what_if.ranking.layers
    return {n: layers[n].zeros + layers[n].weights(k) for n, k in units.items()}


def test_bounds_locks_and_exclusion_hold(what_if):
    allocation = GlobalThreshold(
        floor={"a": 0.5}, ceiling={"b": 0.6}, exclude=("d",), sparsity=0.5
    )
    allocation = overriding(allocation, "c", 0.25)
    spent = spending(what_if, "weights", allocation)
    locked = Profiles(what_if, allocation, frozenset({"c"}))
    found = zeros(what_if, locked.cheapest(spent, 0.5 * spent.whole))
    assert "d" not in found and found["c"] == 175
    assert found["a"] >= 20 and found["b"] <= 1800
    assert spent.total(found) == int(0.5 * spent.whole)
    free = Profiles(what_if, allocation)
    found = zeros(what_if, free.cheapest(spent, 0.5 * spent.whole))
    assert found["c"] != 175 and overridden(free.free, "c") is None
    with pytest.raises(InputError, match=r"leave at least 46\.1 %") as refused:
        locked.cheapest(spent, 0.3 * spent.whole)
    again = pickle.loads(pickle.dumps(refused.value))
    assert again.message == refused.value.message


def test_a_bound_between_two_whole_weights_is_kept_to(what_if):
    allocation = GlobalThreshold(floor={"d": 0.5}, sparsity=0.5)
    shaped = what_if.shape(allocation, {"a": 10, "b": 300, "c": 40, "d": 2})
    told = what_if.forecast(shaped)
    assert told.units["d"] in (2, 3) and told.units["b"] == 300


def test_the_nearest_is_the_projection(what_if):
    """Of the drawn point onto the half-space of the budget, within the box."""
    profiles, spent = Profiles(what_if, GlobalThreshold()), spending(what_if, "macs")
    wanted = {"a": 0.2, "b": 0.5, "c": 0.4, "d": 0.0}
    budget = 0.3 * spent.whole
    found = zeros(what_if, profiles.nearest(wanted, spent, budget))
    used = {name: SIZES[name] * USES[name] for name in SIZES}
    low, high = 0.0, 1.0
    for _ in range(200):
        price = (low + high) / 2
        drawn = {n: min(wanted[n] + price * used[n], 1.0) for n in SIZES}
        left = spent.rest + sum(used[n] * (1 - drawn[n]) for n in SIZES)
        low, high = (price, high) if left > budget else (low, price)
    for name in SIZES:
        assert found[name] / SIZES[name] == pytest.approx(
            drawn[name], abs=2 / SIZES[name]
        )
    assert spent.total(found) <= budget + 1e-6


def test_a_profile_that_meets_the_budget_stays(what_if):
    profiles, spent = Profiles(what_if, GlobalThreshold()), spending(what_if, "weights")
    wanted = {"a": 0.5, "b": 0.9, "c": 0.9, "d": 0.4}
    found = zeros(what_if, profiles.nearest(wanted, spent, spent.whole))
    assert found == {"a": 20, "b": 2700, "c": 630, "d": 2}


def measurement(units, losses):
    none = (0.0,) * len(units)
    return LayerMeasured("b", units, none, losses, none, none, 90.0, 10, "validation")


def test_a_measured_curve_passes_through_its_points(what_if):
    each = what_if.ranking.layers["b"]
    told = measurement((900, 1500, 2700), (0.2, 0.1, 7.0))
    at = np.array([0, 900, 1500, 2700])
    assert loss_curve(each, at, told) == pytest.approx([0, 0.2, 0.2, 7.0])
    assert loss_curve(each, at, None) == pytest.approx([each.loss(k) for k in at])
    nothing = replace(each, scores=np.zeros(3000))
    assert loss_curve(nothing, np.array([450, 900]), told) == pytest.approx([0.1, 0.2])


def test_what_was_measured_decides(what_if):
    spent = spending(what_if, "weights")
    plain = Profiles(what_if, GlobalThreshold())
    before = plain.cheapest(spent, 0.3 * spent.whole)
    dear = measurement((1500, 2700), (500.0, 5000.0))
    told = Profiles(what_if, GlobalThreshold(), measured={"b": dear})
    after = told.cheapest(spent, 0.3 * spent.whole)
    assert after["b"] < before["b"] and after["c"] > before["c"]
    unknown = WhatIf(replace(what_if.ranking, gain=None))
    assert not Profiles(unknown, GlobalThreshold(), measured={"b": dear}).knows_losses
    assert plain.knows_losses


def test_groups_go_whole(what_if):
    sizes = np.full(750, 4)
    scores = np.sort(np.random.default_rng(7).random(750))
    layers = {
        "b": LayerRanking("b", (), 3000, 0, 1.0, 4, scores, sizes),
        "a": layer("a", 0),
    }
    grouped = WhatIf(Ranking(layers, 0.0, 5000.0, 16000))
    profiles = Profiles(grouped, GlobalThreshold())
    spent = spending(grouped, "weights")
    found = profiles.cheapest(spent, 1001)
    assert spent.total(zeros(grouped, found)) in (1000, 1001)
