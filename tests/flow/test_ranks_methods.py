"""Every way to prune gives two processes what it gives a single one."""

import pytest

import engine
from engine.events import RunFailed
from engine.recipe import load
from tests.flow.test_ranks import finish, last_event, summary, team, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CASES = {
    "labels of the network": {
        "estimator": {"samples": 100, "fisher": "true", "block_size": "auto"},
        "repair": {"layers": "every_step", "batch_norm": "end", "samples": 200},
        "schedule": {"kind": "one_shot", "recomputations": 2},
    },
    "woodtaylor": {
        "estimator": {"kind": "woodtaylor", "samples": 100, "longest_step": 0.01}
    },
    "kfac": {"estimator": {"kind": "kfac", "images": 200, "corrected": True}},
    "fishleg": {
        "estimator": {"kind": "fishleg", "images": 200, "iterations": 5},
        "schedule": {"kind": "one_shot", "recomputations": 2},
    },
    "exact_obs": {
        "estimator": {"kind": "exact_obs", "images": 100},
        "allocation": {"kind": "uniform"},
    },
    "trace": {"estimator": {"kind": "trace", "images": 64}},
    "greedy": {
        "estimator": {"samples": 50, "order": "greedy", "block_size": 100},
    },
    "groups": {"estimator": {"samples": 50}, "pattern": {"kind": "groups"}},
    "n_m": {
        "estimator": {"kind": "kfac", "images": 100},
        "pattern": {"kind": "n_m"},
        "schedule": {"kind": "one_shot", "recomputations": 2},
    },
    "diagonal": {"estimator": {"kind": "diagonal_fisher", "images": 100}},
}


def test_processes_halve_the_same_steps(tmp_path):
    adaptive = {"adaptive": 20}
    recipe = written(tmp_path, schedule=adaptive, allocation={"sparsity": 0.9})
    code, _, err = finish(team("run", recipe, "--out", tmp_path / "two"))
    assert code == 0, err
    engine.run(load(recipe), tmp_path / "one")
    one, two = summary(tmp_path / "one"), summary(tmp_path / "two")
    steps = [each["end"] for each in one["halved"]]
    assert steps and steps == [each["end"] for each in two["halved"]]
    assert one["mask_sha256"] == two["mask_sha256"]


@pytest.mark.parametrize("groups", CASES.values(), ids=CASES.keys())
def test_two_processes_prune_as_one(tmp_path, groups):
    recipe = written(tmp_path, **groups)
    code, _, err = finish(team("run", recipe, "--out", tmp_path / "two"))
    assert code == 0, err
    engine.run(load(recipe), tmp_path / "one")
    one, two = summary(tmp_path / "one"), summary(tmp_path / "two")
    assert two["processes"] == 2 and one["mask_sha256"] == two["mask_sha256"]
    assert one["block_size"] == two["block_size"]
    assert two["final"]["loss"] == pytest.approx(one["final"]["loss"], rel=1e-4)
    for mine, theirs in zip(one["predicted"], two["predicted"], strict=True):
        unknown = {key for key, value in mine.items() if value is None}
        assert unknown == {key for key, value in theirs.items() if value is None}
        for key in mine.keys() - unknown:
            assert theirs[key] == pytest.approx(mine[key], rel=1e-6)
    assert one["notices"] == two["notices"]


def test_a_method_that_joins_layers_asks_for_a_single_process(tmp_path):
    recipe = written(tmp_path, estimator={"kind": "mfac", "samples": 50})
    code, _, err = finish(team("run", recipe, "--out", tmp_path / "run"))
    assert code == 1 and "single process" in err
    assert isinstance(last_event(tmp_path / "run"), RunFailed)
