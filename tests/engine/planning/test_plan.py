"""The plan against what runs take."""

import json
import subprocess
import sys

import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.planning import budget
from engine.recipe import parse

MACHINE = {"device": "cpu", "threads": 1}
TIGHT = {"memory": 1.3, "half_precision": False}
MEASURE = """
import json, sys, torch
import engine
from engine.machine import memory_peak
from engine.recipe import load

recipe = load(sys.argv[1])
engine.run(recipe, sys.argv[2])
peak = memory_peak(torch.device("cpu"))
summary = json.load(open(sys.argv[2] + "/summary.json"))
predicted = summary["predicted_peak_bytes"]
print(json.dumps([peak, predicted, summary["paged"],
                  summary["half_precision"]]))
"""


def test_a_plan_of_the_demo(tmp_path):
    given = parse({"machine": MACHINE, "estimator": {"samples": 16}})
    found = engine.plan(given, folder=tmp_path)
    assert found.peak_bytes == max(found.phase_bytes.values()) == found.host_bytes
    assert {"gradients", "curvature", "selection"} <= set(found.phase_bytes)
    assert found.calibration_images == 16 and found.passes == {"images": 1, "disk": 0}
    assert found.gradient_bytes == 16 * found.prunable * 4 and found.disk_bytes == 0
    assert set(found.seconds) == {
        "gradients", "curvature", "selection", "evaluate", "finetune"
    }  # fmt: skip
    assert all(seconds >= 0 for seconds in found.seconds.values())
    assert "measured just now" in found.reasons[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_run_decides_as_its_plan(tmp_path):
    given = parse(
        {
            "machine": MACHINE,
            "estimator": {"samples": 16, "block_size": "auto"},
            "finetune": {"epochs": 0},
        }
    )
    planned = engine.plan(given)
    engine.run(given, tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["block_size"] == planned.block_size
    assert summary["paged"] == planned.paged
    assert summary["predicted_peak_bytes"] == pytest.approx(planned.peak_bytes, rel=0.1)


def test_magnitude_is_planned_without_gradients():
    given = parse({"machine": MACHINE, "estimator": {"kind": "magnitude"}})
    found = engine.plan(given)
    assert found.gradient_bytes == found.calibration_images == 0
    assert "gradients" not in found.seconds


def test_an_undoable_step_and_a_distillation_take_memory():
    plain = {"machine": MACHINE, "estimator": {"samples": 16}}
    asked = {"schedule": {"adaptive": 10}, "repair": {"distil": "end"}}
    plans = [engine.plan(parse(each)) for each in (plain, plain | asked)]

    def more(phase: str) -> int:
        """Beyond what the process held by then."""
        before, after = (p.phase_bytes[phase] - p.phase_bytes["load"] for p in plans)
        return after - before

    for phase in ("gradients", "curvature", "selection"):
        assert more(phase) == 4 * plans[0].prunable
    assert more("repair") > 0
    assert plans[1].seconds["repair"] > 0


def test_a_paged_plan_counts_disk_and_reads(monkeypatch, tmp_path):
    ways = budget._ways
    monkeypatch.setattr(
        budget, "_ways", lambda *a: (w for w in ways(*a) if w[1].folder)
    )
    monkeypatch.setattr(budget, "_explained", lambda tried, *_: tried[-1])
    found = engine.plan(parse({"machine": MACHINE}), folder=tmp_path / "not yet")
    assert found.paged and found.disk_bytes == found.gradient_bytes > 0
    assert found.passes == {"images": 1, "disk": 2}


def test_all_layers_excluded_is_a_sentence():
    given = parse({"machine": MACHINE, "allocation": {"exclude": ["*"]}})
    with pytest.raises(InputError, match="No layer is left"):
        engine.plan(given)


@pytest.mark.slow
@pytest.mark.parametrize(
    "groups",
    [
        {"estimator": {"samples": 400}},
        {"estimator": {"samples": 400}, "machine": {**MACHINE, **TIGHT}},
        {"estimator": {"samples": 400}, "machine": {**MACHINE, "memory": 1.3}},
        {"estimator": {"kind": "magnitude"}, "finetune": {"batch": 400}},
    ],
    ids=["in memory", "on disk", "halved", "training"],
)
def test_predicted_memory_is_within_15_percent_of_measured(groups, tmp_path):
    """A ResNet-20 on random 32x32 images, in a process of its own."""
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "images.npz",
        x=random.integers(0, 256, (1300, 3, 32, 32), dtype=np.uint8),
        y=np.arange(1300) % 10,
    )
    content = {
        "model": {"kind": "resnet_cifar", "depth": 20},
        "data": {"kind": "arrays", "file": str(tmp_path / "images.npz")},
        "finetune": {"epochs": 0},
        "machine": MACHINE,
    }
    content |= groups
    if "batch" in content["finetune"]:
        content["finetune"] |= {"epochs": 1}
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    command = [
        sys.executable,
        "-c",
        MEASURE,
        tmp_path / "recipe.json",
        tmp_path / "run",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    measured, predicted, paged, half = json.loads(done.stdout)
    given = content["machine"]
    assert paged == ("half_precision" in given) and half == (
        "memory" in given and not paged
    )
    assert predicted == pytest.approx(measured, rel=0.15)
