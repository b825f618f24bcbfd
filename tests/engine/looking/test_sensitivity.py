"""Measured sensitivity: each number is that of a network with this layer cut alone."""

import pytest
import torch

import engine
from engine import seeds
from engine.errors import InputError
from engine.evaluate import evaluate
from engine.events import Progressed
from engine.loading import load_data, load_network, loss_for
from engine.looking.sensitivity import IMAGES
from engine.monitor import Control, Monitor
from engine.recipe import parse
from engine.steering.events import LayerMeasured, LookEnded
from engine.words.events import in_words

QUICK = parse(
    {"estimator": {"kind": "magnitude"}, "machine": {"device": "cpu", "threads": 1}}
)


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


def test_a_layer_is_cut_alone(study):
    seen = []
    names = ("conv1.weight", "fc.weight")
    found = engine.measure_sensitivity(
        QUICK, study, names, (0.5, 0.9), emit=seen.append
    )
    assert [each.name for each in found] == list(names)
    assert [e for e in seen if isinstance(e, LayerMeasured)] == list(found)
    assert any(isinstance(e, Progressed) for e in seen)
    assert "2 layers" in seen[-1].message
    model, _ = load_network(QUICK, Monitor(), frozenset())
    data = load_data(QUICK, torch.device("cpu"), Monitor())
    loss = loss_for(model, QUICK, data, Monitor())
    stream = seeds.generator(QUICK.machine.seed, "probe")
    drawn = torch.randperm(len(data.validation), generator=stream)[:IMAGES]
    few = data.validation.subset(drawn)
    dense = evaluate(model, few, loss, 512, Monitor(), "")
    for each in found:
        weight = model.get_parameter(each.name)
        before = weight.detach().clone()
        order = before.abs().flatten().argsort()
        for at, share in enumerate((0.5, 0.9)):
            assert each.units[at] == round(share * weight.numel())
            assert each.sparsities[at] == each.units[at] / weight.numel()
            with torch.no_grad():
                weight.view(-1)[order[: each.units[at]]] = 0
            cut = evaluate(model, few, loss, 512, Monitor(), "")
            rise = cut.loss - dense.loss
            assert each.losses[at] == pytest.approx(rise, abs=1e-6)
            assert each.accuracies[at] == pytest.approx(cut.accuracy)
            assert each.errors[at] > 0
        with torch.no_grad():
            weight.copy_(before)
        assert each.dense == pytest.approx(dense.accuracy)
        assert each.images == len(few) and each.split == "validation"
    assert "fc.weight alone at 90.0 %" in in_words(found[1])[0]


def test_a_stop_keeps_what_was_told(study):
    control, seen = Control(), []

    def emit(event):
        seen.append(event)
        if isinstance(event, LayerMeasured):
            control.stop()

    assert engine.measure_sensitivity(QUICK, study, emit=emit, control=control) is None
    assert sum(isinstance(e, LayerMeasured) for e in seen) == 1
    assert isinstance(seen[-1], LookEnded) and "stopped" in seen[-1].message


def test_sparsities_out_of_reach_become_the_nearest(study):
    (found,) = engine.measure_sensitivity(QUICK, study, ["fc.weight"], (0.0, 0.999, 1))
    assert found.units == (study.ranking.layers["fc.weight"].most,)


def test_an_unknown_layer_is_refused(study):
    with pytest.raises(InputError, match="not scored"):
        engine.measure_sensitivity(QUICK, study, ["fc"])
