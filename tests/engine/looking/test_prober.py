"""Prober: the same numbers as a network with those masks, newest request first."""

import queue
import threading

import pytest
import torch

import engine
from engine import seeds
from engine.evaluate import evaluate
from engine.loading import load_data, load_network, loss_for
from engine.looking.prober import Probed, Prober
from engine.monitor import Monitor
from engine.recipe import parse, with_changes
from engine.steering.what_if import WhatIf

PATIENCE = 20  # seconds
QUICK = parse(
    {"estimator": {"kind": "magnitude"}, "machine": {"device": "cpu", "threads": 1}}
)


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


@pytest.fixture
def probing(study):
    answers, probers = queue.Queue(), []

    def build(recipe=QUICK, answer=answers.put):
        probers.append(Prober(recipe, study, answer))
        return probers[-1]

    yield build, answers
    for prober in probers:
        prober.close(wait=True)


def test_it_measures_what_a_network_with_these_masks_gives(study, probing):
    build, answers = probing
    forecast = WhatIf(study.ranking).forecast(QUICK.allocation)
    prober = build()
    prober.ask(forecast.units)
    told = answers.get(timeout=PATIENCE)
    model, _ = load_network(QUICK, Monitor(), frozenset())
    data = load_data(QUICK, torch.device("cpu"), Monitor())
    loss = loss_for(model, QUICK, data, Monitor())
    stream = seeds.generator(QUICK.machine.seed, "probe")
    few = data.validation.subset(
        torch.randperm(len(data.validation), generator=stream)[: told.images]
    )
    assert told.split == "validation" and told.images > 1
    dense = evaluate(model.eval(), few, loss, 512, Monitor(), "")
    assert told.dense.accuracy == pytest.approx(dense.accuracy)
    with torch.no_grad():
        for name in study.order:
            gone = study.removed(forecast.units, name)
            model.get_parameter(name).view(-1)[gone] = 0
    cut = evaluate(model, few, loss, 512, Monitor(), "")
    assert told.now.accuracy == pytest.approx(cut.accuracy)
    assert told.now.loss == pytest.approx(cut.loss, rel=1e-4)
    prober.ask({})
    assert answers.get(timeout=PATIENCE).now == told.dense


def test_the_newest_request_wins_and_rest_forgets(study, probing):
    build, answers = probing
    go = threading.Event()

    def slow(told):
        answers.put(told)
        go.wait(PATIENCE)

    prober = build(answer=slow)
    prober.ask({})
    answers.get(timeout=PATIENCE)
    for count in range(5):
        prober.ask({"fc.weight": count})
    go.set()
    assert answers.get(timeout=PATIENCE).units == {"fc.weight": 4}
    go.clear()
    prober.ask({"fc.weight": 9})
    answers.get(timeout=PATIENCE)
    prober.ask({"fc.weight": 7})
    prober.rest()
    go.set()
    with pytest.raises(queue.Empty):
        answers.get(timeout=0.3)


def test_a_failure_is_an_answer(study, probing):
    build, answers = probing
    lost = with_changes(QUICK, {"model.checkpoint": "/nowhere/lost.pth"})
    build(lost).ask({})
    assert "lost.pth" in str(answers.get(timeout=PATIENCE))


def test_closing_ends_the_thread(study):
    prober = Prober(QUICK, study, lambda told: None)
    prober.close(wait=True)
    assert not any(t.name == "prober" for t in threading.enumerate())


def test_the_mini_batch_is_small_enough_for_five_a_second(study, probing):
    build, answers = probing
    prober = build()
    prober.ask({})
    assert isinstance(answers.get(timeout=PATIENCE), Probed)
    prober.ask({"fc.weight": 3})
    assert answers.get(timeout=PATIENCE).seconds < 1  # of a busy machine
