"""Adaptive steps: halved where the measured loss breaks the promise."""

import json
import math

import pytest
import torch

import engine
from engine import adaptive
from engine.adaptive import Adaptive, broken
from engine.checks import Change
from engine.errors import InputError
from engine.events import (
    Checked,
    Halved,
    Noticed,
    PhaseStarted,
    Pruned,
    RunStopped,
    Scored,
)
from engine.monitor import Control, Monitor
from engine.recipe import parse
from engine.schedules import Gradual, OneShot
from engine.schedules.base import MOST, Level

RECIPE = {
    "estimator": {"samples": 24},
    "allocation": {"sparsity": 0.9},
    "schedule": {"adaptive": 50},
    "checks": {"images": 60},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}


def recipe(**groups):
    return parse(RECIPE | groups)


def run(folder, control=None, hear=lambda event: None, **groups):
    heard = []

    def emit(event):
        heard.append(event)
        hear(event)

    engine.run(recipe(**groups), folder, emit, control)
    return heard


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that halves steps: what it said, what it came to."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return run(folder), summary(folder)


def of(heard, kind):
    return [event for event in heard if isinstance(event, kind)]


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize(
    ("predicted", "change", "expected"),
    [
        (0.1, Change(0.5, 0.1), True),  # 0.5 - 0.2 > 0.2
        (0.1, Change(0.5, 0.2), False),  # within noise
        (0.1, Change(0.15, 0.0), False),  # within the factor
        (-0.1, Change(0.2, 0.01), True),  # a gain was promised
        (0.001, Change(0.09, 0.0), False),  # too little to matter
        (0.1, Change(-3.0, 0.0), False),  # better than promised
        (0.1, Change(math.nan, math.nan), True),
        (0.1, Change(9.0, None), False),  # a single image proves nothing
    ],
)
def test_a_promise_is_broken_beyond_factor_and_noise(predicted, change, expected):
    assert broken(predicted, change, 2.0) is expected


def test_half_a_step_takes_half_of_the_way_the_schedule_goes():
    level = Level(0, (0.5, 0.9))
    level = level.halved(1, 0.7).halved(1, 0.6)
    assert level == Level(0, (0.5, 0.6, 0.7, 0.9), (0, 2, 2, 1))
    assert OneShot(spacing="linear").middle(0.2, 0.6) == pytest.approx(0.4)
    assert Gradual().middle(0.0, 0.75) == pytest.approx(0.5)  # of survivors, half


def test_steps_are_halved_told_and_recorded(whole):
    heard, found = whole
    halved, pruned = of(heard, Halved), of(heard, Pruned)
    assert halved and len(pruned) == 1 + len(halved)
    first = halved[0]
    assert (first.step, first.start, first.end, first.depth) == (1, 0.0, 0.9, 1)
    assert first.calibration > 50 * first.predicted_joint
    assert 0 < first.middle < 0.9
    assert max(each.depth for each in halved) <= MOST
    assert [e.step for e in pruned] == list(range(1, len(pruned) + 1))
    assert pruned[-1].final and pruned[-1].steps == len(pruned)
    assert pruned[-1].sparsity == pytest.approx(0.9, abs=1e-4)
    assert [e.step for e in of(heard, Checked)] == [e.step for e in pruned]
    assert [each["end"] for each in found["halved"]] == [each.end for each in halved]
    assert [each["step"] for each in found["predicted"]] == [e.step for e in pruned]
    said = [e.message for e in of(heard, Noticed) if "was undone" in e.message]
    assert len(said) == len(halved) and "instead of" in said[0]


def test_an_undone_step_leaves_no_trace(tmp_path, monkeypatch):
    """Planning the two steps, into which one was halved, comes to the same network."""
    monkeypatch.setattr(adaptive, "MOST", 1)
    heard = run(tmp_path / "adaptive")
    assert len(of(heard, Halved)) == 1
    run(tmp_path / "plain", schedule={"adaptive": 0, "recomputations": 2})
    assert (
        summary(tmp_path / "adaptive")["mask_sha256"]
        == summary(tmp_path / "plain")["mask_sha256"]
    )


def test_a_promise_that_holds_changes_nothing(tmp_path):
    heard = run(tmp_path / "a", schedule={"adaptive": 1_000_000})
    run(tmp_path / "b", schedule={"adaptive": 0})
    assert of(heard, Halved) == []
    assert summary(tmp_path / "a")["halved"] == []
    one, other = summary(tmp_path / "a"), summary(tmp_path / "b")
    assert one["mask_sha256"] == other["mask_sha256"]
    assert one["final"] == other["final"] and one["predicted"] == other["predicted"]


def test_the_limit_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(adaptive, "MOST", 1)
    heard = run(tmp_path / "run", schedule={"adaptive": 1})
    told = [e for e in of(heard, Noticed) if "1 times at most" in e.message]
    assert [e.depth for e in of(heard, Halved)] == [1]
    assert told and told[0].level == "warning"


@pytest.mark.parametrize("moment", [Halved, Checked, "judging", "second"])
def test_a_run_stopped_anywhere_ends_the_same(tmp_path, moment, whole):
    control, heard = Control(), []

    def hear(event):
        heard.append(event)
        judging = event == PhaseStarted("evaluate", time=event.time)
        if (
            (moment == "judging" and judging and of(heard, Scored))
            or (moment == "second" and len(of(heard, Halved)) == 2)
            or (moment in (Halved, Checked) and isinstance(event, moment))
        ):
            control.stop()

    run(tmp_path / "run", control, hear)
    assert isinstance(heard[-1], RunStopped)
    if moment == "judging":
        assert of(heard, Halved) == of(heard, Pruned) == []
    engine.resume(tmp_path / "run")
    whole, found = whole[1], summary(tmp_path / "run")
    assert found["mask_sha256"] == whole["mask_sha256"]
    assert found["final"] == whole["final"]
    assert found["halved"] == whole["halved"]
    assert [e["step"] for e in found["predicted"]] == [
        e["step"] for e in whole["predicted"]
    ]


def test_a_method_without_predictions_says_so_once(tmp_path):
    heard = run(
        tmp_path / "run",
        estimator={"kind": "magnitude"},
        schedule={"adaptive": 2, "recomputations": 2},
    )
    told = [e for e in of(heard, Noticed) if "predicts no loss" in e.message]
    assert len(told) == 1 and of(heard, Halved) == []


def test_gradual_levels_are_halved_each_for_itself(tmp_path):
    heard = run(
        tmp_path / "run",
        schedule={"kind": "gradual", "end": 1, "adaptive": 50},
        finetune={"epochs": 1},
    )
    pruned = of(heard, Pruned)
    assert of(heard, Halved) and pruned[-1].sparsity == pytest.approx(0.9, abs=1e-4)
    assert {event.epoch for event in pruned} == {0.0, 1.0}


@pytest.mark.parametrize(
    "groups", [{"schedule": {"adaptive": 0.5}}, {"checks": {"images": 0}}]
)
def test_what_cannot_work_is_refused(groups):
    with pytest.raises(InputError, match=r"adaptive|check images"):
        recipe(**groups)


def test_the_plan_tells_that_steps_may_become_more():
    told = " ".join(engine.plan(recipe()).reasons)
    assert "may become 8" in told and "up to 15" in told
    plain = " ".join(engine.plan(recipe(schedule={"adaptive": 0})).reasons)
    assert "may become" not in plain


def test_processes_decide_alike(tmp_path):
    """The first process's judgement is everyone's."""

    class Told:
        def told(self, work):
            return Halved(1, 0.0, 0.4, 0.8, 0.1, None, 0.5, 0.01, 1)

    class Fine:
        def measured(self):
            return {"calibration": Change(0.0, 0.0)}

        def undone(self):
            self.forgot = True

    weight, fine = torch.ones(3), Fine()

    def take():
        weight.zero_()
        return None, None

    judge = Adaptive(OneShot(adaptive=2), fine, Monitor(), Told())
    left = judge.attempt(take, {"a": weight}, Level(0, (0.8,)), 0, 1, 0.0)
    assert left == Level(0, (0.4, 0.8), (1, 1))
    assert weight.tolist() == [1, 1, 1] and fine.forgot
