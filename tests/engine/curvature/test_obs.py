"""Optimal Brain Surgeon against dense matrices."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.curvature.block_fishers import block_fishers
from engine.curvature.obs import ObsCurvature
from engine.monitor import Monitor
from tests import reference

DAMPING = 1e-3
NAME = "layer"
# (gradients, weights, block size): N < c and N > c, even blocks, short tails, one block
SHAPES = [
    (5, 24, 0), (5, 24, 8), (5, 27, 8), (5, 9, 8), (40, 24, 0), (40, 24, 8),
    (40, 27, 8), (8, 24, 8), (3, 1, 0), (3, 4, 1), (6, 20, 100),
]  # fmt: skip
shapes = pytest.mark.parametrize(("samples", "numel", "size"), SHAPES)


def curvature(
    rows: Tensor, size: int, damping: float = DAMPING, live: Tensor | None = None,
    **options,
) -> ObsCurvature:  # fmt: skip
    live = torch.ones(rows.shape[1], dtype=torch.bool) if live is None else live
    inverses = block_fishers({NAME: rows}, {NAME: live}, size, damping, Monitor())
    return ObsCurvature(inverses, **options)


def layer(samples: int, numel: int) -> tuple[Tensor, Tensor, Tensor]:
    """Correlated gradients, weights and a random set to remove."""
    mix = torch.randn(numel, numel) / numel**0.5 + torch.eye(numel)
    rows = torch.randn(samples, numel) @ mix
    removed = torch.rand(numel) < 0.5
    removed[0] = True
    return rows, torch.randn(numel), removed


def close(found: Tensor, right: Tensor, tolerance: float = 1e-8) -> None:
    assert (found.double() - right).norm() <= tolerance * max(
        float(right.norm()), 1e-12
    )


@shapes
def test_diagonal_equals_recursion_and_brute_force(samples, numel, size):
    rows, *_ = layer(samples, numel)
    inverse = curvature(rows, size)._inverses[NAME]
    dense = torch.linalg.inv(reference.block_fisher(rows, DAMPING, size))
    close(inverse.diag(), dense.diag())
    step = size or numel
    for start in range(0, numel, step):
        part = slice(start, start + step)
        block = reference.woodbury(rows[:, part], DAMPING)
        close(inverse.diag()[part], block.diag())


@shapes
def test_solve_equals_brute_force(samples, numel, size):
    rows, weights, _ = layer(samples, numel)
    dense = torch.linalg.inv(reference.block_fisher(rows, DAMPING, size))
    found = curvature(rows, size)._inverses[NAME].solve(weights.double())
    close(found, dense @ weights.double())


@shapes
def test_scores_are_obs_saliencies(samples, numel, size):
    rows, weights, _ = layer(samples, numel)
    dense = reference.block_fisher(rows, DAMPING, size)
    found = curvature(rows, size).scores({NAME: weights})[NAME]
    assert found.dtype == torch.float64
    close(found, reference.saliencies(weights, dense))


@shapes
def test_summed_compensation_follows_its_formula(samples, numel, size):
    rows, weights, removed = layer(samples, numel)
    dense = reference.block_fisher(rows, DAMPING, size)
    found = curvature(rows, size, compensation="sum")
    step = found.removal({NAME: weights.double()}, {NAME: removed}).corrections[NAME]
    close(step, reference.summed_updates(weights, removed, dense))


@shapes
def test_joint_compensation_is_the_constrained_minimum(samples, numel, size):
    rows, weights, removed = layer(samples, numel)
    dense = reference.block_fisher(rows, DAMPING, size)
    found = curvature(rows, size, compensation="joint")
    step = found.removal({NAME: weights.double()}, {NAME: removed}).corrections[NAME]
    close(step, reference.joint_update(weights, removed, dense))
    close(step, reference.greedy_update(weights, removed, dense))


@shapes
def test_predicted_losses_are_those_of_the_quadratic(samples, numel, size):
    rows, weights, removed = layer(samples, numel)
    dense = reference.block_fisher(rows, DAMPING, size)
    single, joint = (
        curvature(rows, size).removal({NAME: weights}, {NAME: removed}).predicted
    )
    saliencies = reference.saliencies(weights, dense)
    assert single == pytest.approx(float(saliencies[removed].sum()), rel=1e-8)
    step = reference.joint_update(weights, removed, dense)
    assert joint == pytest.approx(reference.quadratic(step, dense), rel=1e-8)


def test_one_weight_removed_makes_all_predictions_and_steps_agree():
    rows, weights, _ = layer(6, 12)
    removed = torch.zeros(12, dtype=torch.bool)
    removed[4] = True
    single, joint = (
        curvature(rows, 0).removal({NAME: weights}, {NAME: removed}).predicted
    )
    assert single == pytest.approx(joint, rel=1e-9)
    steps = [
        curvature(rows, 0, compensation=kind)
        .removal({NAME: weights.double()}, {NAME: removed})
        .corrections[NAME]
        for kind in ("sum", "joint")
    ]
    close(steps[0], steps[1])


@pytest.mark.parametrize("kind", ["none", "sum", "joint"])
@pytest.mark.parametrize("samples", [5, 40])
def test_removed_weights_land_on_exactly_zero_in_float32(kind, samples):
    rows, weights, removed = layer(samples, 24)
    weights, removed = weights.reshape(4, 6), removed.reshape(4, 6)
    found = curvature(rows, 10, compensation=kind, strength=0.3)
    step = found.removal({NAME: weights}, {NAME: removed}).corrections[NAME]
    assert step.dtype == torch.float32 and step.shape == weights.shape
    assert ((weights + step)[removed] == 0).all()
    assert bool(step[~removed].any()) == (kind != "none")


@pytest.mark.parametrize("kind", ["sum", "joint"])
def test_strength_scales_survivors_only(kind):
    rows, weights, removed = layer(5, 24)
    steps = [
        curvature(rows, 8, compensation=kind, strength=strength)
        .removal({NAME: weights.double()}, {NAME: removed})
        .corrections[NAME]
        for strength in (1.0, 0.25)
    ]
    close(steps[1][~removed], steps[0][~removed] / 4)
    assert torch.equal(steps[1][removed], steps[0][removed])


@pytest.mark.parametrize("kind", ["none", "sum", "joint"])
def test_nothing_removed_changes_nothing(kind):
    rows, weights, removed = layer(5, 24)
    nothing = {NAME: torch.zeros_like(removed)}
    found = curvature(rows, 8, compensation=kind)
    assert not found.removal({NAME: weights}, nothing).corrections[NAME].any()
    assert found.removal({NAME: weights}, nothing).predicted == (0, 0)


@pytest.mark.parametrize("kind", ["sum", "joint"])
@pytest.mark.parametrize(("samples", "size"), [(5, 0), (5, 8), (40, 0), (40, 8)])
def test_weights_removed_before_decouple(kind, samples, size):
    rows, weights, removed = layer(samples, 27)
    live = torch.rand(27) < 0.6
    live[8:16] = False  # a whole block is gone
    live[:2] = True
    removed &= live
    weights, rows = weights * live, rows * live
    found = curvature(rows, size, live=live, compensation=kind)
    dense = reference.block_fisher(rows, DAMPING, size)
    close(
        found.scores({NAME: weights})[NAME],
        reference.saliencies(weights, dense),
    )
    update = reference.joint_update if kind == "joint" else reference.summed_updates
    step = found.removal({NAME: weights.double()}, {NAME: removed}).corrections[NAME]
    close(step, update(weights, removed, dense))
    assert not step[~live].any()


def test_a_layer_without_live_weights_is_harmless():
    gone = torch.zeros(6, dtype=torch.bool)
    found = curvature(torch.zeros(3, 6), 4, live=gone, compensation="joint")
    weights = {NAME: torch.zeros(6)}
    assert not found.scores(weights)[NAME].any()
    assert not found.removal(weights, {NAME: gone}).corrections[NAME].any()


@pytest.mark.parametrize("samples", [5, 40])
def test_all_removed_costs_the_whole_quadratic(samples):
    rows, weights, _ = layer(samples, 24)
    everything = torch.ones(24, dtype=torch.bool)
    dense = reference.block_fisher(rows, DAMPING, 8)
    _, joint = curvature(rows, 8).removal({NAME: weights}, {NAME: everything}).predicted
    right = reference.quadratic(weights.double(), dense)
    assert joint == pytest.approx(right, rel=1e-8)


def test_block_size_one_is_the_damped_diagonal():
    rows, weights, _ = layer(7, 24)
    found = curvature(rows, 1).scores({NAME: weights})[NAME]
    diagonal = DAMPING + rows.double().square().mean(0)
    close(found, weights.double() ** 2 * diagonal / 2)


@pytest.mark.parametrize("samples", [5, 40])
def test_large_damping_ranks_as_magnitude(samples):
    rows, weights, removed = layer(samples, 24)
    found = curvature(rows, 8, damping=1e9)
    order = found.scores({NAME: weights})[NAME].argsort()
    assert torch.equal(order, weights.abs().argsort())
    step = found.removal({NAME: weights}, {NAME: removed}).corrections[NAME]
    assert step[~removed].abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["sum", "joint"])
def test_a_gradient_gives_woodtaylor(kind):
    rows, weights, removed = layer(40, 24)
    slope = rows.mean(0)
    dense = reference.block_fisher(rows, DAMPING, 8)
    newton = torch.linalg.solve(dense, slope.double())
    moved = weights.double() - newton
    found = curvature(rows, 8, compensation=kind, gradient={NAME: slope})
    close(found.scores({NAME: weights})[NAME], reference.saliencies(moved, dense))
    update = reference.joint_update if kind == "joint" else reference.summed_updates
    right = update(moved, removed, dense) - newton
    step = found.removal({NAME: weights.double()}, {NAME: removed}).corrections[NAME]
    close(step[~removed], right[~removed])
    assert torch.equal(step[removed], -weights.double()[removed])
    full = reference.joint_update(moved, removed, dense) - newton
    change = float(slope.double() @ full) + reference.quadratic(full, dense)
    _, joint = found.removal({NAME: weights}, {NAME: removed}).predicted
    assert joint == pytest.approx(change, rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 12),
    numel=st.integers(1, 20),
    size=st.integers(0, 8),
    seed=st.integers(0, 1000),
)
def test_any_shape_equals_brute_force(samples, numel, size, seed):
    torch.manual_seed(seed)
    rows, weights, removed = layer(samples, numel)
    live = torch.rand(numel) < 0.8
    rows, weights, removed = rows * live, weights * live, removed & live
    dense = reference.block_fisher(rows, DAMPING, size)
    found = curvature(rows, size, live=live, compensation="joint")
    close(found.scores({NAME: weights})[NAME], reference.saliencies(weights, dense))
    step = found.removal({NAME: weights.double()}, {NAME: removed}).corrections[NAME]
    close(step, reference.joint_update(weights, removed, dense))


def test_layers_do_not_see_each_other():
    first, second = torch.randn(5, 12), torch.randn(5, 8)
    masks = {"a": torch.ones(12).bool(), "b": torch.ones(8).bool()}
    both = block_fishers({"a": first, "b": second}, masks, 0, DAMPING, Monitor())
    alone = block_fishers({"b": second}, masks, 0, DAMPING, Monitor())
    assert torch.equal(both["b"].diag(), alone["b"].diag())


def test_a_newton_step_and_a_removal_are_predicted_exactly_on_a_quadratic():
    rows, weights, removed = layer(40, 20)
    rows, weights = rows.double(), weights.double()
    hessian = reference.fisher(rows, DAMPING)
    slope = hessian @ (0.5 * torch.randn(20).double())
    found = curvature(rows, 0, compensation="joint", gradient={NAME: slope})
    removal = found.removal({NAME: weights}, {NAME: removed})
    step = removal.corrections[NAME]
    measured = float(slope @ step + step @ hessian @ step / 2)
    assert removal.joint == pytest.approx(measured, rel=1e-8)
