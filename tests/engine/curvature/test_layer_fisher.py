"""Products with a layer's Fisher against single gradients, for every kind of use."""

import pytest
import torch

from engine.curvature.layer_fisher import LayerFishers, fisher_products
from engine.errors import InputError, RunError
from engine.gradients.owners import owners_of
from tests import reference
from tests.cases import CASES, Residual, perceptron, problem

BY_NAME = {case.name: case for case in CASES}


def others(case):
    return (*case.vmapped, *case.looped)


def products(given, vectors, sizes=(3, 3)):
    owners = owners_of(given, "This")
    pieces = torch.arange(len(given.train)).split(sizes)
    return fisher_products(given, owners, pieces, given.fetch(), vectors)


def assert_exact(given, **options):
    vectors = {
        n: torch.randn(2, *w.shape, dtype=w.dtype) for n, w in given.weights().items()
    }
    found = products(given, vectors, **options)
    images, labels = given.train.images, given.train.labels
    rows = reference.gradient_rows(given.model, given.names, images, labels, 1)
    for name, each in vectors.items():
        right = each.flatten(1) @ reference.fisher(rows[name], 0)
        torch.testing.assert_close(found[name].flatten(1), right)


@pytest.mark.parametrize("name", [c.name for c in CASES if not others(c)])
def test_products_are_those_of_single_gradients(name):
    assert_exact(problem(BY_NAME[name].build, BY_NAME[name].shape, 6))


def test_the_network_is_as_before():
    given = problem(Residual, (2, 6, 6), 6)
    given.model.train()
    before = {name: value.clone() for name, value in given.model.state_dict().items()}
    assert_exact(given)
    for name, value in given.model.state_dict().items():
        assert torch.equal(value, before[name])


def test_pieces_of_unequal_size_count_by_their_images():
    assert_exact(problem(Residual, (2, 6, 6), 6), sizes=[1, 5])


@pytest.mark.parametrize("case", [*filter(others, CASES)], ids=lambda c: c.name)
def test_weights_that_are_used_in_other_ways_are_refused(case):
    given = problem(case.build, case.shape, 6)
    with pytest.raises(InputError, match=f"This does not know .*{others(case)[0]}"):
        owners_of(given, "This")


def test_a_layer_without_gradient_is_an_error():
    with pytest.raises(RunError, match="No gradient reached inner"):
        LayerFishers({"inner": []}, 3).product("inner", torch.ones(1, 2))


def test_flags_and_modes_come_back():
    given = perceptron()
    given.model.train()
    given.model[0].weight.requires_grad_(False)
    products(given, {n: w[None] for n, w in given.weights().items()}, sizes=(30,))
    assert given.model.training and given.model[2].weight.requires_grad
    assert not given.model[0].weight.requires_grad
