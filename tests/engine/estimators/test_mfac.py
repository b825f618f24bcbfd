"""M-FAC: one inverse for the concatenation of all layers."""

import pytest
import torch
from torch import Tensor

from engine.errors import RunError
from engine.estimators import MFAC, WoodFisher
from engine.monitor import Monitor
from tests import reference
from tests.cases import keep_all, keep_some, perceptron

DAMPING = 1e-3
TIGHT = {"rtol": 1e-8, "atol": 1e-12}


def whole(values: dict) -> Tensor:
    return torch.cat([each.reshape(-1) for each in values.values()])


def rows_of(given, kept, samples: int) -> Tensor:
    rows = given.gradients(samples, 1, 0, kept, Monitor())
    return torch.cat(list(rows.values()), 1)


def fit(given, kept, samples: int, **settings):
    method = MFAC(samples=samples, damping=DAMPING, **settings)
    return method.fit(given, kept, Monitor(), 0)


def half(given, kept) -> dict:
    return {
        n: kept[n] & (torch.rand(w.shape) < 0.5) for n, w in given.weights().items()
    }


@pytest.mark.parametrize("samples", [12, 60])  # fewer and more than the 45 weights
@pytest.mark.parametrize("keep", [keep_all, keep_some])
def test_scores_are_those_of_the_dense_inverse_and_of_the_recursion(samples, keep):
    given = perceptron(60)
    kept = keep(given)
    rows, weights = rows_of(given, kept, samples), whole(given.weights())
    found = whole(fit(given, kept, samples).scores(given.weights()))
    dense = reference.fisher(rows, DAMPING)
    torch.testing.assert_close(found, reference.saliencies(weights, dense), **TIGHT)
    diagonal, solve = reference.mfac(rows, DAMPING)
    torch.testing.assert_close(found, weights**2 / (2 * diagonal), **TIGHT)
    torch.testing.assert_close(solve(weights), torch.linalg.solve(dense, weights))


@pytest.mark.parametrize("keep", [keep_all, keep_some])
@pytest.mark.parametrize(
    ("kind", "update"),
    [("sum", reference.summed_updates), ("joint", reference.joint_update)],
)
def test_layers_make_up_for_each_other(keep, kind, update):
    given = perceptron()
    kept = keep(given)
    weights, dense = (
        given.weights(),
        reference.fisher(rows_of(given, kept, 12), DAMPING),
    )
    removed = half(given, kept)
    removed["2.weight"][:] = False  # so that all it gets comes from the other layer
    found = (
        fit(given, kept, 12, compensation=kind).removal(weights, removed).corrections
    )
    right = update(whole(weights), whole(removed), dense)
    torch.testing.assert_close(whole(found), right, **TIGHT)
    assert found["2.weight"][kept["2.weight"]].abs().min() > 0
    assert not any(found[name][~kept[name]].any() for name in kept)
    assert not any((weights[n] + found[n])[removed[n]].any() for n in kept)


def test_predicted_losses_are_those_of_the_whole_quadratic():
    given = perceptron()
    kept = keep_some(given)
    weights, removed = given.weights(), half(given, kept)
    dense = reference.fisher(rows_of(given, kept, 12), DAMPING)
    single, joint = fit(given, kept, 12).removal(weights, removed).predicted
    each = reference.saliencies(whole(weights), dense)[whole(removed)]
    assert single == pytest.approx(float(each.sum()), rel=1e-8)
    step = reference.joint_update(whole(weights), whole(removed), dense)
    assert joint == pytest.approx(reference.quadratic(step, dense), rel=1e-8)


@pytest.mark.parametrize("size", [1, 7, 40])
def test_blocks_run_over_live_neighbours_across_layers(size):
    given = perceptron()
    kept = keep_some(given)
    live = whole(kept)
    rows, weights = rows_of(given, kept, 12)[:, live], whole(given.weights())[live]
    found = fit(given, kept, 12, block_size=size).scores(given.weights())
    dense = reference.block_fisher(rows, DAMPING, size)
    right = reference.saliencies(weights, dense)
    torch.testing.assert_close(whole(found)[live], right, **TIGHT)


def test_one_layer_as_the_network_is_woodfisher_with_that_layer_as_a_block():
    given = perceptron()
    kept = {"0.weight": keep_all(given)["0.weight"]}
    given = type(given)(given.model, ("0.weight",), given.train, given.loss)
    wood = WoodFisher(samples=12, block_size=0, damping=DAMPING)
    right = wood.fit(given, kept, Monitor(), 0).scores(given.weights())["0.weight"]
    found = fit(given, kept, 12).scores(given.weights())["0.weight"]
    torch.testing.assert_close(found, right, **TIGHT)


def test_gradients_that_are_not_finite_are_refused():
    given = perceptron()
    given.train.images[3] = torch.nan
    with pytest.raises(RunError, match="gradients of the network are not finite"):
        fit(given, keep_all(given), 30)


def test_gradients_of_some_layers_are_not_enough():
    given = perceptron()
    kept = keep_all(given)
    part = type(given)(given.model, given.names[:1], given.train, given.loss)
    with pytest.raises(RunError, match="all layers in one process"):
        fit(part, kept, 12)
