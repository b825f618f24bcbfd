"""Spectrum: every damping, draw and gradient left out, against dense inverses."""

import pytest
import torch

from engine.curvature.spectrum import Spectrum
from tests import reference

DAMPINGS = (1e-4, 1e-2, 1.0, 100.0)
SHAPES = {"wide": (6, 15), "narrow": (20, 7), "square": (9, 9)}


@pytest.fixture(params=[*SHAPES, "repeated", "silent"])
def rows(request):
    drawn = torch.randn(*SHAPES.get(request.param, (8, 12))).double()
    if request.param == "repeated":
        drawn[4:] = drawn[:4]
    if request.param == "silent":
        drawn[3], drawn[:, 5] = 0, 0
    return drawn


SLOTS = torch.tensor([0, 2, 5, 6])


@pytest.mark.parametrize("damping", DAMPINGS)
def test_the_diagonal_is_that_of_the_dense_inverse(rows, damping):
    right = torch.linalg.inv(reference.fisher(rows, damping)).diag()[SLOTS]
    spectrum = Spectrum(rows, SLOTS)
    torch.testing.assert_close(spectrum.diag(damping), right, rtol=1e-8, atol=0)
    assert (spectrum.values > 0).all() and (spectrum.rest >= 0).all()
    closed = Spectrum(rows.float(), SLOTS).diag(damping)
    torch.testing.assert_close(closed, right, rtol=1e-3, atol=0)


@pytest.mark.parametrize("damping", DAMPINGS)
def test_counts_are_gradients_that_come_so_often(rows, damping):
    counts = torch.zeros(len(rows))
    counts[0], counts[-1], counts[2] = len(rows) - 3, 2, 1
    again = rows.repeat_interleave(counts.long(), 0)
    right = torch.linalg.inv(reference.fisher(again, damping)).diag()[SLOTS]
    some = torch.tensor([1, 3])
    found = Spectrum(rows, SLOTS).reweighted(counts.double(), damping, some)
    torch.testing.assert_close(found, right[some], rtol=1e-8, atol=0)


@pytest.mark.parametrize("damping", DAMPINGS)
def test_a_gradient_left_out_measures_the_step_of_the_others(rows, damping):
    weights = torch.randn(rows.shape[1]).double()
    whole, losses = reference.fisher(rows, damping), []
    for g in rows:
        inverse = torch.linalg.inv(whole - torch.outer(g, g) / len(rows))
        steps = -weights / inverse.diag() * inverse  # one column for each weight
        losses.append((g @ steps).square() / 2)
    right = torch.stack(losses).mean(0)[SLOTS]
    some = torch.tensor([3, 0, 1])
    found = Spectrum(rows, SLOTS).left_out(damping, weights[SLOTS][some], some)
    torch.testing.assert_close(found, right[some], rtol=1e-7, atol=1e-14)


def test_gradients_that_are_all_zero_leave_the_damping():
    spectrum = Spectrum(torch.zeros(5, 8), SLOTS)
    assert not len(spectrum.values)
    assert spectrum.diag(0.5).tolist() == [2.0] * 4
    counts = torch.ones(5).double()
    assert spectrum.reweighted(counts, 0.5, torch.arange(4)).tolist() == [2.0] * 4
    weights = torch.ones(4).double()
    assert not spectrum.left_out(0.5, weights, torch.arange(4)).any()
