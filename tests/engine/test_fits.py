"""A fitted curvature serves all sparsities, and every cell is as it would be alone."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

import engine
from engine import masks
from engine.comparing.comparison import parse_comparison, place
from engine.events import Noticed, PhaseStarted, RunStarted
from engine.fits import Fits
from engine.loss import Loss
from engine.monitor import Monitor
from engine.problem import Problem
from engine.recipe import parse
from tests.cases import Images

FEW = {"estimator.samples": 24}
METHODS = {
    "taylor": {},
    "diagonal_fisher": {},
    "trace": {"estimator.images": 32, "estimator.draws": 2},
    "kfac": {"estimator.images": 32},
    "fishleg": {"estimator.images": 32, "estimator.iterations": 2},
    "woodfisher": FEW,
    "woodtaylor": FEW,
    "mfac": FEW,
    "exact_obs": {"estimator.images": 32},
}
BASE = {"finetune": {"epochs": 0}, "machine": {"device": "cpu", "threads": 1}}
SERVED = "serves this cell too"


def compare(folder, methods, sparsities=(0.3, 0.7), recipe=BASE, **changes):
    spec = {"recipe": recipe, "methods": methods, "sparsities": sparsities, **changes}
    events, spec = [], parse_comparison(spec)
    engine.compare(spec, folder, events.append)
    return spec, events


def fits(events):
    """By cell, in order, whether it was fitted there."""
    found = []
    for event in events:
        if isinstance(event, RunStarted):
            found.append(False)
        elif isinstance(event, PhaseStarted) and event.name == "curvature":
            found[-1] = True
    return found


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.parametrize("kind", METHODS)
def test_a_cell_is_what_its_run_gives_alone(kind, tmp_path):
    methods = {kind: {"estimator.kind": kind, **METHODS[kind]}}
    spec, _ = compare(tmp_path / "all", methods)
    *_, last = spec.cells()
    engine.run(spec.recipe_of(last), tmp_path / "alone")
    served, alone = (
        summary(tmp_path / place) for place in (f"all/cells/{place(last)}", "alone")
    )
    assert served["final"] == alone["final"]
    assert served["predicted"] == alone["predicted"]
    assert served["layers"] == alone["layers"]
    more = [text for text in served["notices"] if text not in alone["notices"]]
    assert len(more) == 1 and SERVED in more[0]
    assert set(alone["notices"]) < set(served["notices"])


def test_one_fit_for_all_sparsities_of_a_seed(tmp_path):
    methods = {"w": {"estimator.kind": "woodfisher", **FEW}}
    _, events = compare(tmp_path / "c", methods, (0.3, 0.5, 0.7), seeds=(0, 1))
    assert fits(events) == [True, False, False] * 2
    told = [e for e in events if isinstance(e, Noticed) and SERVED in e.message]
    assert len(told) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"schedule.recomputations": 2},
        {"schedule.adaptive": 100},
        {"finetune.epochs": 1},
        {"repair.batch_norm": "end"},
    ],
)
def test_what_goes_on_after_its_cut_keeps_nothing(change, tmp_path):
    methods = {"w": {"estimator.kind": "woodfisher", **FEW, **change}}
    _, events = compare(tmp_path / "c", methods)
    assert fits(events) == [True, True]


@pytest.fixture
def problem():
    model = nn.Sequential(nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3))
    split = Images(torch.rand(20, 12), torch.randint(3, (20,)))
    return Problem(model.eval(), ("0.weight", "2.weight"), split, Loss())


@pytest.fixture
def ask(problem):
    """Fits, as a question: the curvature of the problem under a seed."""
    fits, whole = Fits(), masks.from_zeros(problem.weights())
    recipe = parse({**BASE, "estimator": {"kind": "woodfisher", "samples": 8}})

    def asked(seed=0, problem=problem, whole=whole):
        return fits.fit(problem, whole, recipe, Monitor(), seed)

    asked.whole, asked.serve = whole, fits.serve
    return asked


def test_another_seed_mask_or_weight_is_fitted_anew(ask, problem):
    first = ask()
    assert ask() is first
    assert ask(seed=1) is not first
    first, cut = ask(), {k: v.clone() for k, v in ask.whole.items()}
    cut["0.weight"][0, 0] = False
    assert ask(whole=cut) is not first
    first = ask()
    with torch.no_grad():
        problem.model[0].weight[0, 0] += 1e-6
    assert ask() is not first


def test_what_lies_on_the_disk_is_not_kept(ask, problem, tmp_path):
    paged = replace(problem, storage=replace(problem.storage, folder=tmp_path))
    assert ask(problem=paged) is not ask(problem=paged)


def test_another_owner_makes_room(ask):
    ask.serve("a")
    first = ask()
    ask.serve("a")
    assert ask() is first
    ask.serve("b")
    assert ask() is not first


def test_what_costs_nothing_is_not_kept(tmp_path):
    _, events = compare(tmp_path / "c", {"m": {"estimator.kind": "magnitude"}})
    assert not [e for e in events if isinstance(e, Noticed) and SERVED in e.message]
