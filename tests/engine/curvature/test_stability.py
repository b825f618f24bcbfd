"""Trust in the curvature: damping against F, raised blocks, bootstrap of the masks."""

import json

import pytest
import torch

import engine
from engine.allocation import GlobalThreshold
from engine.curvature.blocks import Blocks
from engine.curvature.stability import stability
from engine.estimators import ESTIMATORS, MFAC, WoodFisher, WoodTaylor
from engine.events import Fitted, Noticed, Resampled
from engine.gradients.pages import MEMORY, Storage
from engine.monitor import Monitor
from engine.problem import Problem
from engine.recipe import parse
from tests import reference
from tests.cases import keep_all, keep_some, perceptron

DAMPING = 1e-3
families = pytest.mark.parametrize("kind", [WoodFisher, WoodTaylor, MFAC])


def given_with(bootstrap: int, storage=MEMORY) -> Problem:
    plain = perceptron(40)
    return Problem(
        plain.model, plain.names, plain.train, plain.loss, storage, bootstrap=bootstrap
    )


@pytest.mark.parametrize("block", [0, 7])
def test_facts_are_the_mean_diagonal_and_the_damping(tmp_path, block):
    for storage in (MEMORY, Storage(tmp_path)):
        given = given_with(0, storage)
        kept = keep_some(given)
        method = WoodFisher(samples=12, damping=DAMPING, block_size=block)
        facts = method.fit(given, kept, Monitor(), 3).facts()
        rows = given.gradients(12, 1, 3, kept, Monitor())
        for fact, (name, mask) in zip(facts, kept.items(), strict=True):
            live = mask.reshape(-1)
            each = rows[name]
            each = each.read(slice(0, each.shape[1])) if storage.paged else each
            right = each[:, live].square().mean()
            assert fact.name == name and fact.weights == int(live.sum())
            assert fact.mean == pytest.approx(float(right), rel=1e-9)
            assert fact.damping == DAMPING and fact.raised == 0
            assert fact.blocks == (1 if not block else -(-mask.numel() // block))


@pytest.mark.parametrize("samples", [8, 40])  # dual and primal
def test_a_bootstrap_sample_is_the_fisher_of_its_gradients(tmp_path, samples):
    for storage in (MEMORY, Storage(tmp_path)):
        given = given_with(3, storage)
        method = WoodFisher(samples=samples, damping=DAMPING, block_size=0)
        curvature = method.fit(given, keep_all(given), Monitor(), 5)
        rows = given.gradients(samples, 1, 5, {}, Monitor())
        counts = given.draws(rows, 5).square().round()
        assert counts.shape == (3, samples) and (counts.sum(1) == samples).all()
        assert len(counts.unique(dim=0)) == 3
        found = list(curvature.resampled(given.weights()))
        assert len(found) == 3
        for draw, scores in zip(counts.long(), found, strict=True):
            for name, weight in given.weights().items():
                each = rows[name]
                each = each.read(slice(0, each.shape[1])) if storage.paged else each
                again = each.repeat_interleave(draw, dim=0)
                inverse = torch.linalg.inv(reference.fisher(again, DAMPING))
                right = weight.reshape(-1).square() / (2 * inverse.diag())
                torch.testing.assert_close(
                    scores[name].reshape(-1), right, rtol=1e-5, atol=0
                )


@families
def test_overlaps_are_between_0_and_1_and_seeded(kind):
    given = given_with(4)
    weights, kept = given.weights(), keep_all(given)
    uses = dict.fromkeys(kept, 1.0)
    told = []
    for _ in range(2):
        curvature = kind(samples=12, damping=DAMPING).fit(given, kept, Monitor(), 0)
        asked = (curvature, weights, kept, GlobalThreshold(), 0.5, uses)
        told.append(stability(*asked, Monitor()))
    assert told[0] == told[1] and [each.name for each in told[0]] == list(kept)
    assert all(0 <= each.least <= each.mean <= 1 for each in told[0])
    assert any(each.mean < 1 for each in told[0])


def test_where_every_gradient_is_the_same_nothing_changes():
    given = given_with(4)
    given.train.images[:] = given.train.images[0]
    given.train.labels[:] = given.train.labels[0]
    kept, uses = keep_all(given), dict.fromkeys(given.names, 1.0)
    curvature = WoodFisher(samples=12, damping=0.1).fit(given, kept, Monitor(), 0)
    asked = (curvature, given.weights(), kept, GlobalThreshold(), 0.5, uses)
    assert all(each.least == 1 for each in stability(*asked, Monitor()))


def run(folder, **groups) -> tuple[list, dict]:
    heard = []
    recipe = {
        "estimator": {"samples": 16},
        "finetune": {"epochs": 0},
        "checks": {"bootstrap": 3},
        "machine": {"device": "cpu", "threads": 1},
    }
    engine.run(parse(recipe | groups), folder, heard.append)
    return heard, json.loads((folder / "summary.json").read_text())


def test_a_run_tells_and_records_them(tmp_path):
    heard, summary = run(tmp_path / "run")
    (fitted,) = [e for e in heard if isinstance(e, Fitted)]
    (resampled,) = [e for e in heard if isinstance(e, Resampled)]
    assert fitted.step == resampled.step == 1 and resampled.draws == 3
    entry = summary["predicted"][0]
    assert entry["damping_ratio"] > 0 and entry["raised"] == 0


KINDS = {method.model_fields["kind"].default for method in ESTIMATORS}
WITH_ROWS = {"woodfisher", "woodtaylor", "mfac"}
SLOW = pytest.param("fishleg", marks=pytest.mark.slow)


@pytest.mark.parametrize("kind", [*sorted(KINDS - WITH_ROWS - {"fishleg"}), SLOW])
def test_methods_without_gradient_rows_say_so(tmp_path, kind):
    heard, summary = run(tmp_path / "run", estimator={"kind": kind})
    said = [e.message for e in heard if isinstance(e, Noticed)]
    assert any("No bootstrap samples" in text for text in said)
    assert not any(isinstance(e, Resampled) for e in heard)
    assert any(isinstance(e, Fitted) for e in heard) == (kind == "kfac")
    assert ("damping_ratio" in summary["predicted"][0]) == (kind == "kfac")


PATTERNS = [{"kind": "n_m"}, {"kind": "groups"}]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda each: each["kind"])
def test_weights_that_go_together_have_no_stability_of_single_ones(tmp_path, pattern):
    half = {"sparsity": 0.5}
    heard, _ = run(tmp_path / "run", pattern=pattern, allocation=half)
    said = [e.message for e in heard if isinstance(e, Noticed)]
    assert any("No bootstrap samples" in text for text in said)
    assert not any(isinstance(e, Resampled) for e in heard)


def test_raised_blocks_are_counted_and_recorded(tmp_path):
    """Float64 cannot add so little."""
    few = {"samples": 16, "damping": 1e-25, "compensation": "none"}
    heard, summary = run(tmp_path / "run", estimator=few)
    (fitted,) = [e for e in heard if isinstance(e, Fitted)]
    raised = sum(each.raised for each in fitted.layers)
    assert raised > 0
    share = raised / sum(each.blocks for each in fitted.layers)
    assert summary["predicted"][0]["raised"] == pytest.approx(share)


def test_greedy_order_takes_none_for_nothing(tmp_path, monkeypatch):
    made = []
    factorise = Blocks._factorise
    monkeypatch.setattr(
        Blocks, "_factorise", lambda self, part: made.append(1) or factorise(self, part)
    )
    settings = {"samples": 16, "block_size": 64, "order": "greedy"}
    heard, _ = run(tmp_path / "with", estimator=settings)
    with_draws = len(made)
    run(tmp_path / "without", estimator=settings, checks={"bootstrap": 0})
    assert with_draws == len(made) - with_draws
    said = [e.message for e in heard if isinstance(e, Noticed)]
    assert any("No bootstrap samples" in text for text in said)
