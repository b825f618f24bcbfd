"""Curvature against another library's: curvlinops, written by others."""

import pytest
import torch
from torch import Tensor, nn

from engine.curvature.hessian import rademacher, trace_draws
from engine.curvature.kronecker import kronecker_factors
from engine.estimators import WoodFisher
from engine.monitor import Monitor
from engine.problem import Problem
from tests.cases import BY_NAME, keep_all, perceptron, problem

curvlinops = pytest.importorskip("curvlinops")
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")

NETWORKS = ("perceptron", "residual", "strided")


def given_for(name: str, images: int = 12) -> Problem:
    if name == "perceptron":
        return perceptron(images)
    return problem(BY_NAME[name].build, BY_NAME[name].shape, images)


def operator(kind: type, given: Problem, names: tuple[str, ...], **options):
    model = given.model.eval()
    data = [(given.train.images, given.train.labels)]
    weights = [model.get_parameter(name) for name in names]
    return kind(model, nn.CrossEntropyLoss(), weights, data, **options)


def matrix(found: object) -> Tensor:
    return found @ torch.eye(found.shape[1], dtype=torch.float64)


@pytest.mark.parametrize("network", NETWORKS)
def test_woodfisher_inverts_their_empirical_fisher(network):
    given = given_for(network)
    count = len(given.train)
    method = WoodFisher(samples=count, damping=1e-2, block_size=0)
    curvature = method.fit(given, keep_all(given), Monitor(), 0)
    scores = curvature.scores(given.weights())
    for name, weight in given.weights().items():
        fisher = matrix(operator(curvlinops.EFLinearOperator, given, (name,)))
        fisher = fisher + 1e-2 * torch.eye(len(fisher), dtype=torch.float64)
        expected = weight.reshape(-1) ** 2 / (2 * torch.linalg.inv(fisher).diag())
        torch.testing.assert_close(
            scores[name].reshape(-1), expected, rtol=1e-8, atol=0
        )


@pytest.mark.parametrize("network", NETWORKS)
def test_hessian_products_are_theirs(network):
    given = given_for(network)
    kept, weights = keep_all(given), given.weights()
    order = torch.arange(len(given.train))
    found = trace_draws(given, order, given.fetch(), 2, 3, kept, Monitor())
    hessian = operator(curvlinops.HessianLinearOperator, given, given.names)
    for draw in range(2):
        probe = rademacher(weights, kept, 3, draw)
        flat = torch.cat([probe[name].flatten() for name in given.names]).double()
        parts = (flat * (hessian @ flat)).split([w.numel() for w in weights.values()])
        for (name, weight), part in zip(weights.items(), parts, strict=True):
            expected = part.reshape(len(weight), -1).sum(1)
            torch.testing.assert_close(found[name][draw], expected)


def test_kronecker_factors_are_theirs_on_vectors():
    given = perceptron()
    order = torch.arange(len(given.train))
    ours = kronecker_factors(given, order, given.fetch("empirical"), Monitor())
    theirs = operator(
        curvlinops.KFACLinearOperator,
        given,
        given.names,
        fisher_type=curvlinops.FisherType.EMPIRICAL,
        separate_weight_and_bias=True,
    )
    dense, start = matrix(theirs), 0
    for name, weight in given.weights().items():
        stop = start + weight.numel()
        product = torch.kron(ours[name].g[0], ours[name].a[0])
        torch.testing.assert_close(dense[start:stop, start:stop], product)
        start = stop
