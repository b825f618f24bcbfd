"""Fitting: the wish is met, measured where it must be, and stopped like any look."""

import pytest
import torch

import engine
from engine.errors import InputError
from engine.evaluate import evaluate
from engine.events import Noticed, Progressed
from engine.loading import load_data, load_network, loss_for
from engine.looking.fit import IMAGES
from engine.monitor import Control, Monitor
from engine.recipe import parse, with_changes
from engine.steering.events import LookEnded
from engine.steering.spending import LayerTimes, Times
from engine.steering.what_if import WhatIf
from engine.steering.wish import Wish

QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


def wish(goal, amount, **more):
    return Wish(goal, amount, more.pop("allocation", QUICK.allocation), **more)


def measured(study, units, label=None):
    """Accuracy with these masks by the engine's own evaluation."""
    model, _ = load_network(QUICK, Monitor(), frozenset())
    data = load_data(QUICK, torch.device("cpu"), Monitor())
    loss = loss_for(model, QUICK, data, Monitor())
    split = data.validation
    if label is not None:
        split = split.subset((split.labels == label).nonzero().squeeze(1))
    assert len(split) <= IMAGES
    with torch.no_grad():
        for name in study.order:
            gone = study.removed(units, name)
            model.get_parameter(name).view(-1)[gone] = 0
    return evaluate(model, split, loss, 512, Monitor(), "").accuracy


def test_a_budget_is_met_and_told(study):
    seen = []
    found = engine.fit_profile(QUICK, study, wish("macs", 30_000), emit=seen.append)
    assert 0.99 * 30_000 <= found.used <= 30_000 < found.whole
    what_if = WhatIf(study.ranking)
    told = what_if.forecast(what_if.shape(QUICK.allocation, found.units))
    assert told.macs == pytest.approx(found.used)
    assert (
        isinstance(seen[-1], LookEnded) and "multiply-accumulates" in seen[-1].message
    )


@pytest.mark.parametrize("label", [None, 3])
def test_points_of_accuracy_are_kept(study, label):
    seen = []
    asked = wish("accuracy", 4.0, label=label)
    found = engine.fit_profile(QUICK, study, asked, emit=seen.append)
    kept = found.kept
    assert kept.now >= kept.dense - 4.0 and kept.source == "validation"
    assert kept.now == pytest.approx(measured(study, found.units, label))
    assert kept.dense == pytest.approx(measured(study, {}, label))
    assert found.used < 0.9 * found.whole
    assert any(isinstance(e, Progressed) for e in seen)
    few = any(isinstance(e, Noticed) and "points" in e.message for e in seen)
    assert few == (label is not None and kept.images < 50)
    sparser = engine.fit_profile(QUICK, study, wish("weights", found.used - 30))
    less = measured(study, sparser.units, label)
    assert less < kept.dense - 4.0  # it went as far as it could


def test_a_drawn_profile_is_kept_to(study):
    drawn = {name: 0.5 for name in study.order} | {"fc.weight": 0.9}
    half = 0.5 * sum(each.size for each in study.ranking.layers.values())
    found = engine.fit_profile(QUICK, study, wish("weights", 2 * half, drawn=drawn))
    layers = study.ranking.layers
    for name, count in found.units.items():
        wanted = drawn[name] * layers[name].size
        assert layers[name].weights(count) == pytest.approx(wanted, abs=1)


def test_a_drawn_profile_is_lowered_until_accuracy_is_kept(study):
    layers = study.ranking.layers
    drawn = {name: 0.6 for name in study.order} | {"fc.weight": 0.9, "conv1.weight": 0}
    found = engine.fit_profile(QUICK, study, wish("accuracy", 2.0, drawn=drawn))
    assert found.kept.now >= found.kept.dense - 2.0
    assert found.kept.now == pytest.approx(measured(study, found.units))
    lowered = {
        drawn[name] - count / layers[name].size
        for name, count in found.units.items()
        if count
    }
    assert min(lowered) > 0.01 and max(lowered) - min(lowered) < 0.01
    assert found.units["conv1.weight"] == 0
    easy = {name: 0.1 for name in study.order}
    stays = engine.fit_profile(QUICK, study, wish("accuracy", 50.0, drawn=easy))
    assert stays.units == {n: round(0.1 * layers[n].size) for n in easy}


def test_milliseconds_take_measured_times(study):
    slow = LayerTimes((0.0, 0.5, 1.0), (5.0, 5.0, 1.0), 5.0, 0.75)
    times = Times({"layer3.0.conv1.weight": slow}, 2.0, 1, "cpu")
    found = engine.fit_profile(QUICK, study, wish("milliseconds", 5.0, times=times))
    assert found.used <= 5.0 and found.whole == 7.0
    assert [name for name, count in found.units.items() if count] == list(times.layers)
    with pytest.raises(InputError, match="not been timed"):
        engine.fit_profile(QUICK, study, wish("milliseconds", 5.0))


def test_what_cannot_be_met_is_refused(study):
    capped = QUICK.allocation.model_copy(update={"ceiling": {"*": 0.2}})
    with pytest.raises(InputError, match="leave at least"):
        engine.fit_profile(QUICK, study, wish("weights", 10, allocation=capped))
    floored = QUICK.allocation.model_copy(update={"floor": {"*": 0.97}})
    with pytest.raises(InputError, match="before anything"):
        engine.fit_profile(QUICK, study, wish("accuracy", 0.5, allocation=floored))
    nothing = QUICK.allocation.model_copy(update={"exclude": ("*",)})
    with pytest.raises(InputError, match="No layer"):
        engine.fit_profile(QUICK, study, wish("weights", 10, allocation=nothing))
    with pytest.raises(InputError, match="of this class"):
        engine.fit_profile(QUICK, study, wish("accuracy", 1.0, label=99))
    plain = with_changes(QUICK, {"estimator.kind": "magnitude"})
    scored = engine.score(plain)
    with pytest.raises(InputError, match="no losses"):
        engine.fit_profile(plain, scored, wish("weights", 500))
    found = engine.measure_sensitivity(plain, scored, sparsities=(0.5, 0.9))
    curves = {each.name: each for each in found}
    assert engine.fit_profile(plain, scored, wish("weights", 500, measured=curves))


def test_it_can_be_stopped(study):
    control = Control()

    def emit(event):
        if isinstance(event, Progressed) and event.label == "Trying profiles":
            control.stop()

    asked = wish("accuracy", 1.0)
    assert engine.fit_profile(QUICK, study, asked, emit, control) is None
