"""FishLeg's structured inverse against the dense one."""

import itertools

import pytest
import torch

from engine.curvature.fishleg import Structure, StructuredInverse
from engine.errors import RunError
from engine.events import Noticed
from engine.monitor import Monitor, Stopped
from tests import reference


def some_structure(groups=2, rows=3, columns=4) -> Structure:
    shapes = (groups, rows, columns), (groups, rows, rows), (groups, columns, columns)
    return Structure(*(torch.randn(shape).double() for shape in shapes))


def test_the_structure_is_the_dense_one():
    structure = some_structure()
    full = reference.structured_inverse(**structure.tensors())
    assert torch.linalg.eigvalsh(full).min() > 0
    torch.testing.assert_close(structure.diag(), full.diag())
    probes = torch.randn(3, 6, 2, 2).double()
    right = (probes.flatten(1) @ full).reshape(probes.shape)
    torch.testing.assert_close(structure.product(probes), right)
    same = structure.moved(structure.still())
    torch.testing.assert_close(same.product(probes), right)
    torch.testing.assert_close(structure.times(0.3).product(probes), 0.3 * right)


def test_groups_see_their_part_of_the_dense_one():
    structure = some_structure()  # 6 rows of 4
    full = reference.structured_inverse(**structure.tensors())
    found = StructuredInverse(structure, torch.ones(24).bool(), "some", Monitor())
    groups = torch.tensor([[0, 2, 3], [9, 11, 24], [20, 24, 24], [24, 24, 24]])
    blocks = found.within(groups)
    for group, block in zip(groups.tolist(), blocks, strict=True):
        right = torch.zeros(3, 3).double()
        for i, j in itertools.product(range(3), repeat=2):
            if max(group[i], group[j]) < 24:
                right[i, j] = full[group[i], group[j]]
        torch.testing.assert_close(block, right)


def test_the_inverse_and_the_joint_removal_are_the_dense_ones():
    structure = some_structure()
    live, removed = torch.rand(24) < 0.7, torch.rand(24) < 0.5
    removed &= live
    weights = torch.randn(24).double() * live
    full = reference.structured_inverse(**structure.tensors())
    monitor = Monitor()
    found = StructuredInverse(structure, live, "some", monitor)
    vector = torch.randn(24).double()
    right = (full * live[:, None] * live[None]) @ vector
    torch.testing.assert_close(found.solve(vector), right)
    step, loss = found.joint(weights, removed)
    curvature = torch.linalg.inv(full[live][:, live])
    right = reference.joint_update(weights[live], removed[live], curvature)
    torch.testing.assert_close(step[live], right, rtol=1e-4, atol=1e-5)
    assert not step[~live].any() and not monitor.notices
    assert loss == pytest.approx(reference.quadratic(right, curvature), rel=1e-5)


def test_a_joint_removal_that_is_not_finite_is_refused():
    structure = Structure(torch.ones(1, 2, 3), torch.eye(2)[None], torch.eye(3)[None])
    live = torch.ones(6, dtype=torch.bool)
    said = []
    inverse = StructuredInverse(structure, live, "fc", Monitor(said.append))
    weights = torch.tensor([torch.nan, 1, 1, 1, 1, 1], dtype=torch.float64)
    with pytest.raises(RunError, match="fc is not finite"):
        inverse.joint(weights, live)
    assert not any(isinstance(each, Noticed) for each in said)


def test_a_joint_removal_that_is_too_hard_is_told_and_heeds_a_stop():
    structure, all_of_them = some_structure(1, 20, 30), torch.ones(600).bool()
    monitor = Monitor()
    found = StructuredInverse(structure, all_of_them, "some", monitor)
    found.joint(torch.randn(600).double(), torch.rand(600) < 0.9)
    assert "joint removal in some" in monitor.notices[0]
    monitor.control.stop()
    with pytest.raises(Stopped):
        found.joint(torch.randn(600).double(), torch.rand(600) < 0.9)
