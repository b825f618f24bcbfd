"""FishLeg's learning, step by step against the same with dense matrices."""

import pytest
import torch

from engine.curvature.auxiliary import Auxiliary, Learning
from engine.curvature.fishleg import Structure
from engine.gradients.owners import owners_of
from engine.monitor import Monitor
from engine.seeds import generator
from tests import reference
from tests.cases import keep_some, perceptron

DAMPING = 0.01


def some_structures(given) -> dict[str, Structure]:
    """Far from the inverse, and far from round."""
    found = {}
    for name, weight in given.weights().items():
        out, width = weight.shape
        shapes = (1, out, width), (1, out, out), (1, width, width)
        found[name] = Structure(*(torch.randn(shape).double() for shape in shapes))
    return found


def matrix(shares: dict, start: Structure) -> torch.Tensor:
    return reference.structured_inverse(**start.moved(Structure(**shares)).tensors())


def descended(given, kept, start, order, learning, probes) -> dict:
    """Q after Adam's steps along the slope of <Q r, v>, r = (F + damping I) v - u."""
    images, labels = given.train.images, given.train.labels
    rows = reference.gradient_rows(given.model, given.names, images, labels, 1)
    shares = {
        name: {k: torch.zeros_like(v).requires_grad_() for k, v in each.items()}
        for name, each in ((n, s.tensors()) for n, s in start.items())
    }
    factors = [factor for each in shares.values() for factor in each.values()]
    adam = torch.optim.Adam(factors, learning.rate)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(adam, learning.iterations)
    round_and_round = order.repeat(learning.iterations).split(learning.batch)
    for u, images in zip(probes, round_and_round, strict=False):
        loss = 0.0
        for name, each in u.items():
            live = kept[name].flatten().double()
            fisher = reference.fisher(rows[name][images], DAMPING)
            inverse = matrix(shares[name], start[name])
            flat = each.flatten(1)
            v = flat @ inverse * live
            with torch.no_grad():
                slope = ((v @ fisher * live - flat) @ inverse) * live
            loss = loss + (slope * v).sum() / (flat * v).sum().detach()
        adam.zero_grad()
        loss.backward()
        adam.step()
        decay.step()
    return {name: matrix(each, start[name]).detach() for name, each in shares.items()}


@pytest.mark.parametrize("batch", [16, 40])
def test_each_step_is_the_dense_preconditioned_one_on_the_next_images(batch):
    """16 of 40 images: the third step takes the last 8 and the first 8."""
    given = perceptron(40)
    kept, order = keep_some(given), torch.randperm(40)
    start, learning = some_structures(given), Learning(4, 0.02, batch, 3)
    loss = Auxiliary(given, owners_of(given, ""), order, given.fetch(), kept, DAMPING)
    drawn = generator(0, "learning")
    probes = [loss.probes(learning.probes, drawn) for _ in range(learning.iterations)]
    right = descended(given, kept, start, order, learning, probes)
    found = loss.learn(start, learning, generator(0, "learning"), Monitor())
    for name, each in found.items():
        inverse = reference.structured_inverse(**each.tensors())
        torch.testing.assert_close(inverse, right[name], rtol=1e-6, atol=1e-8)
