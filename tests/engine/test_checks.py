"""Predicted loss changes beside measured ones."""

import json

import pytest
import torch
from torch import nn

import engine
from engine.checks import Promises, broken, change_between
from engine.data.base import Data, DataSpec
from engine.events import Checked, Noticed, Pruned, RunStopped
from engine.monitor import Control, Monitor
from engine.prune import fitted, prune_once
from engine.recipe import parse
from engine.sharing.processes import ALONE
from tests.cases import Images, keep_all, problem

RECIPE = {
    "estimator": {"samples": 24},
    "schedule": {"recomputations": 3},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}


def run(folder, **groups) -> tuple[list[Checked], dict]:
    heard = []
    engine.run(parse(RECIPE | groups), folder, heard.append)
    summary = json.loads((folder / "summary.json").read_text())
    return [event for event in heard if isinstance(event, Checked)], summary


def test_every_step_is_checked_and_recorded(tmp_path):
    checked, summary = run(tmp_path / "run")
    assert [event.step for event in checked] == [1, 2, 3]
    for event, entry in zip(checked, summary["predicted"], strict=True):
        assert (
            entry["sum"] == event.predicted and entry["joint"] == event.predicted_joint
        )
        assert entry["calibration"] == event.calibration
        assert entry["held_out"] == event.held_out


def test_no_images_is_no_check(tmp_path):
    checked, summary = run(tmp_path / "run", checks={"images": 0})
    assert checked == []
    assert not {"calibration", "held_out"} & set(summary["predicted"][0])


def test_without_validation_only_calibration_is_measured(tmp_path):
    checked, _ = run(tmp_path / "run", data={"kind": "digits", "validation": 0.0})
    assert all(event.held_out is None for event in checked)
    assert all(event.calibration is not None for event in checked)


@pytest.mark.parametrize(
    ("total", "joint", "measured", "wrong"),
    [
        (0.003, 0.0033, 1.53, True),
        (0.003, 0.2, 1.53, False),  # the better of two predictions is not far off
        (0.0006, 0.0006, 0.06, False),  # far off, and next to nothing
        (0.5, None, 1.0, False),
        (0.001, None, 0.5, True),
        (0.0, 0.0, 0.2, True),
        (0.001, None, -0.5, False),
        (0.001, None, float("nan"), False),
        (None, None, 1.0, False),
        (0.001, None, None, False),
    ],
)
def test_which_promises_are_broken(total, joint, measured, wrong):
    assert broken({"sum": total, "joint": joint, "calibration": measured}) is wrong


def test_unmeasured_promises_are_not_broken():
    assert not broken({"sum": 0.1, "joint": None})


def test_a_run_says_once_that_predictions_do_not_hold(tmp_path):
    far = {"allocation": {"sparsity": 0.97}, "schedule": {"recomputations": 4}}
    heard = []
    engine.run(parse(RECIPE | far), tmp_path / "run", heard.append)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert sum(map(broken, summary["predicted"])) > 1
    words = "raised the loss far more than was predicted"
    told = [e for e in heard if isinstance(e, Noticed) and words in e.message]
    assert len(told) == 1 and "schedule.recomputations" in told[0].hint
    first = next(p["step"] for p in summary["predicted"] if broken(p))
    assert told[0].message.startswith(f"Prune {first} ")


class Squares:
    """A loss that is exactly quadratic in the weights: the output is the residual."""

    def per_sample(self, outputs, labels):
        return outputs.square().sum(1) / 2


def test_on_a_quadratic_the_change_is_the_difference_of_losses():
    given = problem(lambda: nn.Linear(6, 3, bias=False), (6,), 40)
    given = type(given)(given.model, given.names, given.train, Squares())
    split = SubsetImages(given.train.images, given.train.labels)
    data = Data(DataSpec("", (6,), ("a", "b", "c")), split, split, split)
    recipe = parse(RECIPE | {"checks": {"images": 40}})
    promises = Promises(given, data, recipe, Monitor(), ALONE)
    weight = given.model.weight

    @torch.no_grad()
    def loss() -> float:
        return float((split.images @ weight.T).square().sum(1).mean() / 2)

    promises.look()
    before = loss()
    cut = prune_once(
        given,
        keep_all(given),
        recipe,
        0.5,
        0,
        dict.fromkeys(given.names, 1.0),
        Monitor(),
    )
    changes = promises.check(1, cut)
    assert changes["calibration"] == pytest.approx(loss() - before, rel=1e-6)
    assert changes["held_out"] == pytest.approx(loss() - before, rel=1e-6)

    with torch.no_grad():  # something else happens in between
        weight.add_(1)
    promises.forget()
    promises.look()
    assert promises.check(2, cut)["calibration"] == pytest.approx(0)


class SubsetImages(Images):
    """Remembers which of its images were taken."""

    def __init__(self, images, labels) -> None:
        super().__init__(images, labels)
        self.taken, self.subsets = [], []

    def batch(self, indices, generator=None):
        self.taken += indices.tolist()
        return super().batch(indices, generator)

    def subset(self, indices):
        self.subsets.append(indices.tolist())
        return SubsetImages(self.images[indices], self.labels[indices])


def test_calibration_images_are_the_first_of_the_first_steps_gradients():
    given = problem(lambda: nn.Linear(6, 3, bias=False), (6,), 40)
    split = SubsetImages(given.train.images, given.train.labels)
    given = type(given)(given.model, given.names, split, given.loss)
    recipe = parse(RECIPE | {"checks": {"images": 10}, "machine": {"seed": 7}})
    data = Data(DataSpec("", (6,), ("a", "b", "c")), split, split, split)
    Promises(given, data, recipe, Monitor(), ALONE)
    calibration = split.subsets[0]
    fitted(given, keep_all(given), recipe, 0, Monitor())
    first = list(dict.fromkeys(split.taken))  # some are looked at twice
    assert len(first) == 24 and sorted(calibration) == sorted(first[:10])


def test_a_stop_while_checking_keeps_the_prediction(tmp_path):
    folder, control = tmp_path / "run", Control()

    def heard(event):
        if isinstance(event, Pruned):
            control.stop()

    recipe = parse(RECIPE | {"schedule": {"recomputations": 1}})
    assert isinstance(engine.run(recipe, folder, heard, control), RunStopped)
    engine.resume(folder)
    (entry,) = json.loads((folder / "summary.json").read_text())["predicted"]
    assert entry["step"] == 1 and entry["sum"] > 0


def test_a_loss_that_is_not_finite_is_no_number_in_the_summary(tmp_path, monkeypatch):
    def broken(self):
        bad = torch.tensor([float("inf"), float("nan")])
        return {"calibration": bad, "held_out": bad}

    monkeypatch.setattr(Promises, "_losses", broken)
    _, summary = run(tmp_path / "run")
    assert all(entry["held_out"] is None for entry in summary["predicted"])


def test_the_error_of_a_change_is_that_of_a_mean_over_images():
    before, after = torch.tensor([1.0, 5.0, 2.0]), torch.tensor([2.0, 7.0, 5.0])
    change = change_between(before, after)
    assert change.mean == pytest.approx(2.0)
    assert change.error == pytest.approx(1 / 3**0.5)
    assert change_between(before[:1], after[:1]).error is None


@pytest.mark.parametrize("kind", ["woodfisher", "woodtaylor", "taylor", "diagonal"])
def test_layers_share_the_prediction(tmp_path, kind):
    kind = "diagonal_fisher" if kind == "diagonal" else kind
    heard = []
    estimator = {"kind": kind} | ({"samples": 24} if "wood" in kind else {})
    recipe = parse(RECIPE | {"estimator": estimator})
    engine.run(recipe, tmp_path / "run", heard.append)
    for event in (e for e in heard if isinstance(e, Pruned)):
        assert [p.name for p in event.promises] == [s.name for s in event.layers]
        summed = sum(p.summed for p in event.promises)
        joint = sum(p.joint for p in event.promises)
        assert (summed, joint) == pytest.approx(
            (event.predicted, event.predicted_joint)
        )
    assert sum(p.removed for p in event.promises) < event.zeros  # of this step alone


@pytest.mark.parametrize("kind", ["mfac", "magnitude"])
def test_what_is_not_told_by_layer_is_left_out(tmp_path, kind):
    heard = []
    estimator = {"kind": kind} | ({"samples": 24} if kind == "mfac" else {})
    engine.run(parse(RECIPE | {"estimator": estimator}), tmp_path / "run", heard.append)
    (*_, event) = (e for e in heard if isinstance(e, Pruned))
    assert event.promises == ()
