"""FishLeg: what it learns, its certificate and its memory."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import engine
from engine.curvature.auxiliary import Auxiliary, Certificate, residual
from engine.errors import InputError, RunError
from engine.estimators import KFAC, FishLeg, Magnitude
from engine.events import Noticed, Pruned, RunStopped, Scored
from engine.gradients.owners import owners_of
from engine.monitor import Control, Monitor
from engine.recipe import parse
from engine.records import contents
from engine.seeds import generator
from tests import reference
from tests.cases import CASES, Residual, keep_all, keep_some, perceptron, problem

BY_NAME = {case.name: case for case in CASES}
PLAIN = {"start": "identity", "iterations": 150, "learning_rate": 0.03}


class Logistic(nn.Module):
    """One output: its Fisher's inverse has FishLeg's structure."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(5, 1)

    def forward(self, x):
        score = self.inner(x)
        return torch.cat([score, 0 * score, 0 * score], 1)


def logistic():
    return problem(Logistic, (5,), 40)


def fit(given, kept, monitor=None, seed=0, **settings):
    method = FishLeg(**{"images": len(given.train), "damping": 0.1, **settings})
    return method.fit(given, kept, monitor or Monitor(), seed)


def fishers(given, kept, damping: float, fisher="empirical") -> dict:
    """Dense, of the live weights; the damping alone where they are removed."""
    rows = given.gradients(len(given.train), 1, 0, kept, Monitor(), fisher)
    return {name: reference.fisher(each, damping) for name, each in rows.items()}


def dense(curvature) -> dict:
    return {
        name: reference.structured_inverse(**each.tensors())
        for name, each in curvature.structures.items()
    }


@pytest.mark.parametrize("keep", [keep_all, keep_some])
@pytest.mark.parametrize("fisher", ["empirical", "true"])
def test_it_learns_the_inverse_of_the_live_weights_where_the_structure_can(
    keep, fisher
):
    given = logistic()
    kept = keep(given)
    found = fit(given, kept, **PLAIN, fisher=fisher)
    live = kept["inner.weight"].reshape(-1)
    matrix = fishers(given, kept, 0.1, fisher)["inner.weight"]
    right = torch.linalg.inv(matrix[live][:, live])
    learned = dense(found)["inner.weight"][live][:, live]
    assert (learned - right).norm() < 0.01 * right.norm()
    far = torch.eye(int(live.sum())).double() / 0.1
    assert (far - right).norm() > 0.2 * right.norm()
    weight = given.weights()["inner.weight"].reshape(-1)
    scores = found.scores(given.weights())["inner.weight"].reshape(-1)[live]
    saliencies = reference.saliencies(weight, matrix)[live]
    torch.testing.assert_close(scores, saliencies, rtol=0.03, atol=0)


def test_removed_weights_stay_out():
    given = problem(Residual, (2, 6, 6))
    kept = keep_some(given)
    found = fit(given, kept, iterations=5)
    weights = given.weights()
    removed = {n: kept[n] & (torch.rand(w.shape) < 0.3) for n, w in weights.items()}
    for name, step in found.removal(weights, removed).corrections.items():
        assert not step[~kept[name]].any()
        assert torch.equal(step[removed[name]], -weights[name][removed[name]])
        assert step[kept[name] & ~removed[name]].abs().min() > 0


def test_the_certificate_is_the_dense_residual():
    given = problem(Residual, (2, 6, 6))
    kept, monitor = keep_some(given), Monitor()
    found = fit(given, kept, monitor, iterations=5)
    fetch, order = given.fetch(), torch.arange(30)
    loss = Auxiliary(given, owners_of(given, ""), order, fetch, kept, 0.1)
    told = loss.certify(found.structures, 4, generator(0, "certificate"), Monitor())
    probes = loss.probes(4, generator(0, "certificate"))
    matrices, inverses, errors, sizes = fishers(given, kept, 0.1), dense(found), 0, 0
    for name, each in probes.items():
        live = kept[name].reshape(-1).double()
        u = each.flatten(1).double()
        product = (u @ inverses[name] * live) @ matrices[name]
        along = float((u @ inverses[name] * live * u).sum())
        curved = float((product * (u @ inverses[name] * live)).sum())
        error = float((product * told[name].scale - u).square().sum())
        assert told[name].scale == pytest.approx(along / curved)
        assert told[name].scale == pytest.approx(1, rel=1e-6)  # scaled already
        assert told[name].value == pytest.approx((curved / 2 - along) / 4)
        assert told[name].error == pytest.approx(error)
        errors, sizes = errors + error, sizes + float(u.square().sum())
    assert residual(told.values()) == pytest.approx((errors / sizes) ** 0.5)
    assert f"= {(errors / sizes) ** 0.5:.2g} on random probes" in monitor.notices[0]


def test_a_poor_inverse_is_warned_about_and_a_good_one_told():
    given, said = logistic(), []
    monitor = Monitor(lambda e: said.append(e) if isinstance(e, Noticed) else None)
    fit(given, keep_all(given), monitor, **PLAIN)
    few = {"start": "identity", "iterations": 1, "damping": 1e-6}
    fit(perceptron(), keep_all(perceptron()), monitor, **few)
    assert [each.level for each in said[:2]] == ["info", "warning"]
    assert not said[0].hint and "estimator.damping" in said[1].hint


def test_one_poor_layer_among_good_ones_is_warned_about():
    said = []
    monitor = Monitor(lambda e: said.append(e) if isinstance(e, Noticed) else None)
    told = {"good": Certificate(1, -1, 0.01, 100), "poor": Certificate(1, -1, 4, 1)}
    FishLeg(iterations=0)._tell(told, told, monitor)
    assert said[0].level == "warning" and "2 in poor" in said[0].message


def test_steps_that_overshoot_are_undone_and_told():
    given = perceptron()
    monitor = Monitor()
    wild = fit(given, keep_all(given), monitor, iterations=20, learning_rate=1)
    still = fit(given, keep_all(given), iterations=0)
    assert "2 of 2 layers kept the inverse they started from" in monitor.notices[-1]
    for name, each in dense(still).items():
        torch.testing.assert_close(dense(wild)[name], each)


def test_no_step_at_all_is_kfac_in_the_scale_that_suits_it():
    given = problem(BY_NAME["grouped"].build, (4, 5, 5))
    weights, kept = given.weights(), keep_all(given)
    found = fit(given, kept, iterations=0).scores(weights)
    right = KFAC(images=30, damping=0.1).fit(given, kept, Monitor(), 0).scores(weights)
    for name, each in found.items():
        ratio = each / right[name]
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio))


def test_large_damping_ranks_as_magnitude():
    given = perceptron()
    weights, kept = given.weights(), keep_all(given)
    found = fit(given, kept, damping=1e6, iterations=3, start="identity")
    right = Magnitude().fit(given, kept, Monitor(), 0).scores(weights)
    for name, each in found.scores(weights).items():
        assert torch.equal(each.flatten().argsort(), right[name].flatten().argsort())


def far_off(given, curvature, damping: float) -> float:
    """|(F + damping) Q - I|, for all probes at once."""
    matrices, inverses = fishers(given, {}, damping), dense(curvature)
    parts = [matrices[n] @ inverses[n] - torch.eye(len(matrices[n])) for n in inverses]
    return sum(float(part.square().sum()) for part in parts) ** 0.5


def test_refining_beats_starting_anew_with_as_many_steps():
    given = logistic()
    kept, method = keep_all(given), FishLeg(images=40, damping=0.03, **PLAIN)
    old = method.fit(given, kept, Monitor(), 0)
    with torch.no_grad():
        for weight in given.model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    short = method.model_copy(update={"iterations": 20})
    anew = short.fit(given, kept, Monitor(), 1)
    known = given.knowing(method.learned(old))
    refined = short.fit(known, kept, Monitor(), 1)
    forgetful = short.model_copy(update={"refine": False})
    again = forgetful.fit(known, kept, Monitor(), 1)
    errors = [far_off(given, each, 0.03) for each in (refined, anew, old)]
    assert errors[0] < 0.5 * errors[1] and errors[0] < errors[2]
    for name, each in dense(anew).items():
        assert torch.equal(dense(again)[name], each)


RUN = {
    "estimator": {"kind": "fishleg", "images": 64, "iterations": 3, "damping": 1e-4},
    "schedule": {"kind": "one_shot", "recomputations": 3},
    "finetune": {"epochs": 0},
    "machine": {"threads": 1},
}


@pytest.mark.parametrize("kind", [Scored, Pruned])
def test_a_stopped_run_resumes_with_what_was_learned(tmp_path, kind):
    """Scored comes between learning and the cut, so that step is learned again."""
    recipe, control, told = parse(RUN), Control(), []
    engine.run(recipe, tmp_path / "whole", told.append)

    def emit(event):
        if isinstance(event, kind) and event.step == 2:
            control.stop()

    last = engine.run(recipe, tmp_path / "cut", emit, control)
    assert isinstance(last, RunStopped)
    state = contents.newest_state(tmp_path / "cut")
    assert set(state["learned"]["fc.weight"]) == {"scale", "left", "right"}
    engine.resume(tmp_path / "cut", told.append)
    steps = [e for e in told if isinstance(e, Pruned)]
    first = {e.step: e.predicted for e in steps[:3]}
    again = {e.step: e.predicted for e in steps[3:]}
    assert 3 in again and again == {step: first[step] for step in again}
    ends = [
        load_file(tmp_path / each / "model.safetensors") for each in ("whole", "cut")
    ]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize("name", ["attention", "functional", "uncalled"])
def test_other_layers_are_refused_by_name(name):
    case = BY_NAME[name]
    given, other = problem(case.build, case.shape), (*case.vmapped, *case.looped)[0]
    with pytest.raises(InputError, match=f"FishLeg does not know .*{other}"):
        fit(given, keep_all(given))


@pytest.mark.parametrize("start", ["kfac", "identity"])
def test_gradients_that_are_not_finite_are_refused(start):
    given = perceptron()
    given.train.images[3] = torch.nan
    with pytest.raises(RunError, match="not finite"):
        fit(given, keep_all(given), start=start)


def test_no_images_is_an_error():
    with pytest.raises(RunError, match="no training images"):
        FishLeg().fit(perceptron(0), keep_all(perceptron()), Monitor(), 0)
