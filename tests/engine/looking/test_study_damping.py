"""A look at damping: what runs with other dampings and samples would find."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

import engine
from engine.curvature.stability import DrawnScores
from engine.errors import InputError
from engine.events import Noticed, Progressed
from engine.gradients.pages import Storage
from engine.job import Job
from engine.looking.damping import (
    DampingPoint,
    Reference,
    answering,
    refusal,
    suggested,
)
from engine.looking.sampling import draw_weights
from engine.looking.settling import Settling, settling, suggested_samples
from engine.masks import removed_between
from engine.monitor import Control, Monitor
from engine.patterns import Unstructured
from engine.recipe import parse, with_changes
from engine.steering.events import LookEnded

FEW = parse(  # three layers, of which every weight is looked at
    {
        "estimator": {"samples": 40, "block_size": 100, "damping": 1e-4},
        "allocation": {"sparsity": 0.7, "exclude": ["layer2.*", "layer3.*"]},
        "machine": {"device": "cpu", "threads": 1},
    }
)
WHOLE = parse(
    {
        "estimator": {"samples": 40, "block_size": 500},
        "machine": {"device": "cpu", "threads": 1},
    }
)
KINDS = ("woodfisher", "mfac")


@pytest.fixture(scope="module", params=KINDS)
def recipe(request):
    return with_changes(FEW, {"estimator.kind": request.param})


@pytest.fixture(scope="module")
def study(recipe):
    return engine.study_damping(recipe)


def fitted(recipe, damping):
    """A job, and the saliencies of its method at a damping."""
    job = Job(with_changes(recipe, {"estimator.damping": damping}), Monitor(), {})
    curvature = job.settled.estimator.fit(job.problem, job.masks, Monitor(), 0)
    return job, curvature.scores(job.problem.weights())


@pytest.mark.parametrize("damping", [1e-6, 1e-4, 1e-1])
def test_saliencies_are_those_of_a_fit_with_that_damping(recipe, study, damping):
    _, scores = fitted(recipe, damping)
    right = torch.cat([each.reshape(-1) for each in scores.values()]).numpy()
    assert len(right) == len(study.weights)
    np.testing.assert_allclose(study.scores(damping), right, rtol=1e-5)


@pytest.mark.parametrize("kind", ["global", "uniform", "macs"])
def test_removed_sets_are_those_of_the_allocation(study, recipe, kind):
    recipe = with_changes(
        recipe, {"allocation.kind": kind, "allocation.floor": {"conv1": 0.8}}
    )
    job, scores = fitted(recipe, 1e-5)
    asked = (scores, job.masks, recipe.allocation, 0.7, job.uses)
    chosen = Unstructured().choose(DrawnScores(scores), *asked).masks
    gone = removed_between(job.masks, chosen)
    right = torch.cat([each.reshape(-1) for each in gone.values()]).numpy()
    found = study.sample.removed(study.scores(1e-5), recipe.allocation)
    assert np.array_equal(found, right)
    point = Reference(study, 1e-5, recipe.allocation).at(1e-5)
    total = sum(float(scores[name][each].sum()) for name, each in gone.items())
    assert point.predicted == pytest.approx(total, rel=1e-5)
    assert point.ranks == pytest.approx(1) and point.overlap == 1


def test_the_scale_is_the_mean_diagonal_of_the_fisher(recipe, study):
    job, _ = fitted(recipe, 1e-4)
    rows = job.problem.gradients(40, 1, 0, job.masks, Monitor())
    every = torch.cat(list(rows.values()), 1).double()
    assert study.mean == pytest.approx(float(every.square().mean()), rel=1e-6)
    point = Reference(study, 1e-4, recipe.allocation).at(1e-3)
    assert point.ratio == pytest.approx(1e-3 / study.mean)


def test_parts_of_the_gradients_are_fits_with_fewer(recipe, study):
    assert study.parts == (5, 10, 20, 40)
    for part, found in zip(study.parts, study.part_scores, strict=True):
        fewer = with_changes(recipe, {"estimator.samples": part})
        _, scores = fitted(fewer, 1e-4)  # the images come in the same order
        right = torch.cat([each.reshape(-1) for each in scores.values()]).numpy()
        np.testing.assert_allclose(found, right[study.few], rtol=1e-6)


def test_draws_are_the_bootstrap_of_a_run(recipe, study):
    recipe = with_changes(recipe, {"checks.bootstrap": len(study.drawn)})
    job = Job(recipe, Monitor(), {})
    curvature = job.settled.estimator.fit(job.problem, job.masks, Monitor(), 0)
    for found, scores in zip(
        study.drawn, curvature.resampled(job.problem.weights()), strict=True
    ):
        right = torch.cat([each.reshape(-1) for each in scores.values()]).numpy()
        np.testing.assert_allclose(found, right[study.few], rtol=1e-4)


def test_losses_left_out_lie_between_those_of_the_grid(study):
    at = np.sqrt(study.grid[4] * study.grid[5])
    middle = np.sqrt(study.left_out[4] * study.left_out[5])
    np.testing.assert_allclose(study.losses_left_out(at), middle, rtol=1e-9)
    np.testing.assert_allclose(
        study.losses_left_out(study.grid[-1]), study.left_out[-1]
    )
    assert study.grid[0] < study.damping < study.grid[-1]
    assert study.grid[0] < 1e-4 * study.mean and study.grid[-1] > 100 * study.mean


def test_a_sample_stands_for_the_network():
    study = engine.study_damping(WHOLE)
    assert 19_000 < len(study.weights) < 21_000
    shares = [each.taken / each.live for each in study.sample.layers]
    assert max(shares[1:]) / min(shares[1:]) < 1.1
    gone = study.sample.removed(study.scores(1e-5), WHOLE.allocation)
    assert gone.mean() == pytest.approx(WHOLE.allocation.sparsity, abs=1e-3)
    job, scores = fitted(WHOLE, 1e-5)
    asked = (scores, job.masks, WHOLE.allocation, 0.9, job.uses)
    chosen = Unstructured().choose(DrawnScores(scores), *asked).masks
    total = sum(float(scores[n][~mask].sum()) for n, mask in chosen.items())
    point = Reference(study, 1e-5, WHOLE.allocation).at(1e-5)
    assert point.predicted == pytest.approx(total, rel=0.05)


def test_gradients_on_the_disk_give_the_same(tmp_path, monkeypatch):
    study = engine.study_damping(FEW)
    decided = Job._settle

    def paged(job, given):
        budget = decided(job, given)
        job.problem = replace(job.problem, storage=Storage(tmp_path))
        return budget

    monkeypatch.setattr(Job, "_settle", paged)
    again = engine.study_damping(FEW)
    np.testing.assert_allclose(again.scores(1e-5), study.scores(1e-5), rtol=1e-6)


def test_few_of_many_blocks_are_looked_at():
    masks = {"a": torch.rand(3, 40) < 0.7, "b": torch.rand(9000) < 0.9}
    for whole in ("", "all"):
        drawn = draw_weights(masks, whole, 10, 1000, 0)
        assert drawn.blocks > 700 and len(drawn.pieces) < 420
        live = {name: mask.reshape(-1) for name, mask in masks.items()}
        for name, at in drawn.positions.items():
            assert live[name][at].all() and (at.diff() > 0).all()
        sizes = {name: int(mask.sum()) for name, mask in live.items()}
        shares = [len(drawn.positions[name]) / sizes[name] for name in masks]
        assert min(shares) > 0.08 and sum(len(p.slots) for p in drawn.pieces) == sum(
            len(at) for at in drawn.positions.values()
        )


def test_no_damping_is_too_small_or_large_to_be_asked_about(study):
    reference = Reference(study, 1e-300, FEW.allocation)
    for damping in (1e-300, 1e6):
        point = reference.at(damping)
        assert np.isfinite([point.predicted, point.left_out, point.ranks]).all()


def point(damping, left_out):
    return DampingPoint(damping, 1.0, 1.0, 1.0, 1.0, left_out)


def test_the_suggestion_is_the_largest_of_the_about_cheapest():
    points = [point(1e-6, 1.0), point(1e-5, 1.04), point(1e-4, 1.2), point(1e-3, 9.0)]
    advice = suggested(points, points[3], "sum")
    assert advice.value == 1e-5 and "800 % more" in advice.reason
    assert suggested(points, points[0], "none").value == 1e-6
    assert suggested([point(1.0, 0.0)], point(1e-3, 1.0), "sum").value == 1.0
    assert suggested(points, points[3], "joint") is None


def test_settling_compares_removed_sets(study, recipe):
    allocation = recipe.allocation
    found = settling(study, allocation)
    few = study.fewer
    every = few.removed(study.part_scores[-1], allocation)
    half = few.removed(study.part_scores[-2], allocation)
    assert found.shares[-1] == 1 and set(found.overlaps[-1]) == {1.0}
    assert found.shares[-2] == pytest.approx((every & half).sum() / every.sum())
    names = [each.name for each in few.layers]
    at = np.cumsum([each.taken for each in few.layers])[0]
    right = (every & half)[:at].sum() / (every | half)[:at].sum()
    assert found.overlaps[-2][0] == pytest.approx(right)
    assert [each.name for each in found.layers] == names
    assert all(0 <= each.least <= each.mean <= 1 for each in found.layers)
    assert 0 < found.whole <= 1


@pytest.mark.parametrize(
    ("shares", "value", "word"),
    [
        ((0.5, 0.96, 0.98, 1.0), 10, "fewer do"),
        ((0.5, 0.6, 0.92, 1.0), 40, "about enough"),
        ((0.5, 0.6, 0.8, 1.0), 80, "still moving, so try 80"),
    ],
)
def test_suggested_samples(study, shares, value, word):
    given = Settling((5, 10, 20, 40), shares, (), (), 0.9)
    advice = suggested_samples(study, given)
    assert advice.value == value and word in advice.reason


def test_no_more_samples_than_images_are_suggested(study):
    moving = Settling((20, 40), (0.5, 1.0), (), (), 0.5)
    assert suggested_samples(replace(study, images=60), moving).value == 60
    assert suggested_samples(replace(study, images=40), moving).value == 40
    assert suggested_samples(study, Settling((1,), (1.0,), (), (), 1.0)).value == 1


def test_methods_without_such_a_damping_say_which_have_one():
    assert answering() == ("WoodFisher", "M-FAC (whole network)")
    for kind, word in (
        ("magnitude", "has no damping"),
        ("woodtaylor", "Newton step"),
        ("kfac", "single gradients"),
    ):
        recipe = with_changes(FEW, {"estimator.kind": kind})
        assert word in refusal(recipe.estimator) and "WoodFisher" in refusal(
            recipe.estimator
        )
        events = []
        with pytest.raises(InputError, match=word):
            engine.study_damping(recipe, emit=events.append)
        assert isinstance(events[-1], LookEnded)


def test_it_stops_and_says_that_greedy_order_is_not_looked_at():
    control, events = Control(), []
    greedy = with_changes(FEW, {"estimator.order": "greedy"})

    def emit(event):
        events.append(event)
        if isinstance(event, Progressed) and event.label == "Spectra":
            control.pause()
            threading.Timer(0.1, control.stop).start()

    assert engine.study_damping(greedy, emit, control) is None
    assert any(isinstance(e, Noticed) and "greedy" in e.message for e in events)
    assert "stopped" in events[-1].message
