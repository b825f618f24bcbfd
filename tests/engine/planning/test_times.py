"""The times of a plan know what each method and repair does."""

import pytest
import torch

import engine
from engine.estimators import ESTIMATORS
from engine.facts import LayerInfo
from engine.gradients.pages import Pages
from engine.planning import budget, times
from engine.planning.work import Work
from engine.recipe import parse

MACHINE = {"device": "cpu", "threads": 1}
LAYER = LayerInfo("a", "Conv2d", (8, 4, 3, 3), 288, 288 * 64, 0, "prunable")
FREE = {"magnitude", "random"}  # of passes and products


def planned(**groups):
    return engine.plan(parse({"machine": MACHINE, **groups})).seconds


def kind_of(estimator):
    return estimator.model_fields["kind"].default


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=kind_of)
def test_every_estimator_tells_its_work(estimator):
    small, large = (estimator().work((LAYER,), train) for train in (10, 20))
    if kind_of(estimator) in FREE:
        assert small == large == Work()
        return
    assert 0 < small.passes < large.passes
    twice = estimator().work((LAYER, LAYER), 10)
    assert twice.passes == small.passes
    assert twice.products == pytest.approx(2 * small.products)


def test_more_images_than_there_are_take_no_longer():
    kfac = parse({"estimator": {"kind": "kfac", "images": 5000}}).estimator
    assert kfac.work((LAYER,), 100).passes == 100
    assert kfac.work((LAYER,), 100_000).passes == 5000


def test_repair_takes_time_where_it_is_due():
    assert "repair" not in planned()
    once = planned(repair={"layers": "end"})["repair"]
    every = planned(repair={"layers": "every_step"}, schedule={"recomputations": 8})[
        "repair"
    ]
    assert 0 < once < every


@pytest.mark.parametrize("kind", ["kfac", "fishleg", "exact_obs", "trace"])
def test_methods_without_blocks_take_time_too(kind):
    found = planned(estimator={"kind": kind})
    assert sum(found.get(phase, 0) for phase in ("gradients", "curvature")) > 0


def test_the_plan_leaves_the_threads_alone():
    before = torch.get_num_threads()
    planned(estimator={"kind": "kfac"})
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("compensation", ["none", "sum", "joint"])
@pytest.mark.parametrize("pattern", ["unstructured", "groups"])
@pytest.mark.parametrize("kind", ["woodfisher", "woodtaylor"])
def test_pages_are_read_as_often_as_planned(
    kind, pattern, compensation, monkeypatch, tmp_path
):
    """Counted at the disk; a page of which nothing goes is not read again."""
    estimator = {"kind": kind, "samples": 8, "compensation": compensation}
    if kind == "woodtaylor":
        estimator["measured"] = False
    recipe = parse(
        {
            "machine": MACHINE,
            "estimator": estimator
            | ({"measured": False} if kind != "woodfisher" else {}),
            "pattern": {"kind": pattern},
            "finetune": {"epochs": 0},
        }
    )
    ways, read, counts = budget._ways, Pages.read, []
    disk = lambda *given: (w for w in ways(*given) if w[1].folder)  # noqa: E731
    monkeypatch.setattr(budget, "_ways", disk)
    monkeypatch.setattr(budget, "_explained", lambda tried, *_: tried[-1])

    def counted(self, columns, *live):
        counts.append(columns.stop - columns.start)
        return read(self, columns, *live)

    monkeypatch.setattr(Pages, "read", counted)
    prunable = engine.plan(recipe, folder=tmp_path).prunable
    engine.run(recipe, tmp_path / "run")
    assert sum(counts) == times.reads(recipe) * prunable
