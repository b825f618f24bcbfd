"""The benchmarks still work: each once, on sizes too small to tell anything."""

import csv
import gc
import json
from pathlib import Path

import pytest
import torch

from engine.comparing.comparison import parse_comparison
from engine.job import Job
from engine.monitor import Monitor
from engine.recipe import parse
from tests.benchmarks import (
    finetune,
    gradients,
    inverse,
    lateness,
    scale,
    startup,
    unconverged,
)
from tests.benchmarks.plain import Mfac, RankOne
from tests.reference import fisher

HERE = Path(__file__).parent
QUICK = {
    "estimator": {"samples": 4},
    "finetune": {"epochs": 1, "batch": 512},
    "machine": {"device": "cpu", "threads": 1},
}


@pytest.mark.parametrize("kind", [RankOne, Mfac])
def test_the_plain_versions_invert(kind):
    gradients = torch.randn(2, 7, 5).double()
    found = kind(gradients, 1e-2)
    vectors = torch.randn(2, 5).double()
    for block in range(2):
        right = torch.linalg.inv(fisher(gradients[block], 1e-2))
        torch.testing.assert_close(found.diag()[block], right.diag())
        torch.testing.assert_close(found.solve(vectors)[block], right @ vectors[block])


def test_inverse(capsys):
    inverse.run(sizes=((4, 6, 2), (9, 5, 3)), count=1, least=0, product=8)
    printed = capsys.readouterr().out
    assert "4, 6, 2" in printed and "9, 5, 3" in printed


def test_gradients(capsys):
    gradients.run(images=4, size=8, count=1, least=0)
    assert "4 of 3 x 8 x 8" in capsys.readouterr().out


def test_finetune(capsys):
    cases = (("tiny", 1, 8, 1, 32, 8, "crop_flip"),)
    finetune.run(cases, count=1, least=0)
    assert "tiny" in capsys.readouterr().out


def test_lateness(qapp, tmp_path):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(QUICK))
    late = lateness.watch(tmp_path, recipe, points=50)
    gc.unfreeze()  # what the window's start-up froze
    assert late["training"] and min(late["training"]) >= 0


def test_the_recipe_of_the_lateness_benchmark_is_valid(tmp_path):
    from engine.recipe import load

    recipe = load(lateness.write_recipe(tmp_path, images=20, size=8))
    assert recipe.data.describe().shape == (3, 8, 8)


@pytest.mark.slow
def test_startup(capsys):
    startup.run(count=1)
    printed = capsys.readouterr().out
    assert "splash painted" in printed and "window with its layers" in printed


@pytest.mark.slow
def test_scale(capsys):
    scale.run(("squeezenet1_1",), samples=4, side=64, memory=3)
    assert "squeezenet1_1" in capsys.readouterr().out


def measured(name):
    """A comparison's cells in the order of work, and those that its table has."""
    spec = parse_comparison(json.loads((HERE / f"{name}.json").read_text()))
    with (HERE / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["method"], float(row["sparsity"]), int(row["seed"])) for row in rows]
    return spec, [cell.key for cell in spec.cells()], keys, rows


def test_the_table_of_methods_is_of_its_spec():
    spec, cells, keys, rows = measured("methods")
    assert len(set(keys)) == len(keys) and set(keys) <= set(cells)
    assert {method for method, *_ in keys} == set(spec.methods)
    assert {row["dense"] for row in rows} == {"88.22"}


def test_woodtaylor_leads_where_training_has_not_converged():
    _, cells, keys, rows = measured("unconverged")
    assert keys == cells
    final = {key[:2]: float(row["final"]) for key, row in zip(keys, rows, strict=True)}
    for sparsity in (0.5, 0.7, 0.8):
        assert final["WoodTaylor", sparsity] > final["WoodFisher", sparsity]


def test_the_checkpoint_that_has_not_converged_can_be_made_again(tmp_path):
    recipe = parse({"machine": {"device": "cpu", "threads": 1}})
    paths = [tmp_path / "a.pth", tmp_path / "b.pth"]
    for path in paths:
        unconverged.make(recipe, path)
    one, two = (torch.load(path)["state_dict"] for path in paths)
    assert all(torch.equal(one[name], two[name]) for name in one)
    model = Job(recipe, Monitor(), frozenset()).model.state_dict()
    name = "layer2.0.conv2.weight"
    change = one[name] - model[name]
    assert float(change.std() / model[name].std()) == pytest.approx(0.7, rel=0.05)
