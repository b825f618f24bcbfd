"""Latency: each run's network is timed as it is, one failure spoils no other."""

import shutil
import threading

import pytest
import torch

import engine
from engine.errors import TrustNeeded
from engine.events import Noticed
from engine.looking import latency
from engine.monitor import Control
from engine.recipe import dump, parse
from engine.records import contents
from engine.records.standing import standing
from engine.steering.events import LatencyMeasured, LookEnded
from tests.engine.records.test_digest import RECIPE


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "done"
    engine.run(RECIPE, folder)
    return folder


def measured(events):
    return [event for event in events if isinstance(event, LatencyMeasured)]


def test_the_network_of_the_run_is_timed(done, monkeypatch):
    seen, events = [], []
    passes = latency._passes

    def watched(model, batch, monitor):
        seen.append((model, batch))
        return passes(model, batch, monitor)

    monkeypatch.setattr(latency, "_passes", watched)
    monkeypatch.setattr(latency, "ENOUGH", 0.0)
    assert engine.measure_latency(RECIPE, (done,), 5, events.append) == 1
    (model, batch), (told,) = seen[0], measured(events)
    assert batch.shape == (5, *contents.spec_of(done).shape) and not model.training
    weights = standing(done).weights
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items())
    assert 0 < told.low <= told.seconds <= told.high and told.passes == latency.FEWEST
    assert (told.images, told.device, told.error) == (5, "cpu (1 thread)", "")


def test_a_run_without_a_network_spoils_no_other(done, tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "ENOUGH", 0.0)
    bare = shutil.copytree(done, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    shutil.rmtree(bare / "nodes")
    other = shutil.copytree(done, tmp_path / "other")
    changed = {**RECIPE.model_dump(mode="json"), "model": {"kind": "resnet_cifar"}}
    (other / "recipe.json").write_text(dump(parse(changed)))
    events = []
    folders = (bare, tmp_path / "nowhere", other, done)
    assert engine.measure_latency(RECIPE, folders, 2, events.append) == 1
    told = measured(events)
    assert [each.seconds is None for each in told] == [True, True, True, False]
    assert "not kept" in told[0].error and "not a run folder" in told[1].error
    assert all("\n" not in each.error for each in told)
    assert events[-1].message == "Measured the latency of 1 run."


def test_it_stops_and_keeps_what_was_measured(done):
    control, events = Control(), []

    def emit(event):
        events.append(event)
        if measured([event]):
            control.stop()

    folders = (done,) * 50
    assert engine.measure_latency(RECIPE, folders, 1, emit, control) is None
    assert len(measured(events)) == 1
    assert isinstance(events[-1], LookEnded) and "stopped" in events[-1].message


def test_it_waits_while_paused(done):
    control, events = Control(), []
    control.pause()
    threading.Timer(0.1, control.stop).start()
    assert engine.measure_latency(RECIPE, (done,), 1, events.append, control) is None
    assert not measured(events) and not any(isinstance(e, Noticed) for e in events)


def test_code_that_nobody_trusts_is_not_run(done, tmp_path):
    run = shutil.copytree(done, tmp_path / "run")
    code = tmp_path / "net.py"
    code.write_text("raise SystemExit\n")
    model = {"kind": "file", "file": str(code)}
    changed = {**RECIPE.model_dump(mode="json"), "model": model}
    (run / "recipe.json").write_text(dump(parse(changed)))
    with pytest.raises(TrustNeeded):
        engine.measure_latency(RECIPE, (run,), 1)
