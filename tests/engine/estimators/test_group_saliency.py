"""Groups of neighbours by each method whose weights interact."""

import pytest
import torch

from engine.curvature.groups import neighbours
from engine.estimators import KFAC, MFAC, ExactOBS
from engine.estimators.exact_obs import within_rows
from engine.monitor import Monitor
from tests import reference
from tests.cases import CASES, keep_some, perceptron, problem

BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize("kind", [KFAC, MFAC])
def test_one_group_removed_is_the_exact_step_of_every_method(kind):
    given = perceptron()
    kept, weights = keep_some(given), given.weights()
    few = {"images": 20} if kind is KFAC else {"samples": 20}
    found = kind(**few, damping=1e-2).fit(given, kept, Monitor(), 0)
    groups = {name: neighbours(mask, 3)[:1] for name, mask in kept.items()}
    groups["2.weight"] = groups["2.weight"][:0]
    removed = {name: torch.zeros_like(mask) for name, mask in kept.items()}
    members = groups["0.weight"][groups["0.weight"] < 30]
    removed["0.weight"].view(-1)[members] = True
    every = torch.ones(1, 3, dtype=torch.bool)
    loss = found.cheapest(weights, groups, every)["0.weight"][0]
    single, joint = found.removal(weights, removed, groups).predicted
    assert single == pytest.approx(float(loss), rel=1e-9)
    step = found.removal(weights, removed, groups).corrections
    if kind is MFAC:
        assert joint == pytest.approx(single, rel=1e-7)
        exact = MFAC(**few, damping=1e-2, compensation="joint")
        right = (
            exact.fit(given, kept, Monitor(), 0).removal(weights, removed).corrections
        )
        for name in weights:
            torch.testing.assert_close(step[name], right[name], rtol=1e-6, atol=1e-9)
    else:
        inverse = found._inverses["0.weight"]
        inverse._live = torch.ones(30, dtype=torch.bool)
        dense = torch.stack([inverse.solve(c) for c in torch.eye(30).double()])
        right = reference.joint_update(
            weights["0.weight"].reshape(-1),
            removed["0.weight"].reshape(-1),
            torch.linalg.inv(dense),
        )
        alive = kept["0.weight"]
        right = right.reshape(alive.shape)
        torch.testing.assert_close(
            step["0.weight"][alive], right[alive], rtol=1e-6, atol=1e-9
        )


@pytest.mark.parametrize("case", ["mlp", "same", "grouped", "conv1d"])
def test_kfac_groups_are_those_of_the_full_product(case):
    given = problem(BY_NAME[case].build, BY_NAME[case].shape, 20)
    kept = keep_some(given)
    found = KFAC(images=20, damping=1e-2).fit(given, kept, Monitor(), 0)
    for name, inverse in found._inverses.items():
        numel = kept[name].numel()
        unit = torch.eye(numel).double()
        inverse._live = torch.ones(numel, dtype=torch.bool)
        dense = torch.stack([inverse.solve(column) for column in unit])
        groups = neighbours(kept[name], 4)
        right = reference.within(dense, groups)
        torch.testing.assert_close(inverse.within(groups), right)


def test_mfac_groups_see_the_whole_network():
    given = perceptron()
    kept, weights = keep_some(given), given.weights()
    found = MFAC(samples=20, damping=1e-3).fit(given, kept, Monitor(), 0)
    groups = {name: neighbours(mask, 4) for name, mask in kept.items()}
    every = torch.ones(1, 4, dtype=torch.bool)
    asked = found.cheapest(weights, groups, every)
    rows = given.gradients(20, 1, 0, kept, Monitor())
    dense = reference.fisher(torch.cat(list(rows.values()), 1), 1e-3)
    flat = torch.cat([weight.reshape(-1) for weight in weights.values()])
    start = 0
    for name, weight in weights.items():
        for group, loss in zip(groups[name].tolist(), asked[name][0], strict=True):
            members = [start + p for p in group if p < weight.numel()]
            right = reference.set_loss(flat, members, dense) if members else 0
            assert float(loss) == pytest.approx(right, rel=1e-7, abs=1e-15)
        start += weight.numel()


@pytest.mark.parametrize("case", ["mlp", "grouped"])
def test_exact_obs_groups_keep_their_rows_outputs(case):
    given = problem(BY_NAME[case].build, BY_NAME[case].shape, 40)
    kept, weights = keep_some(given), given.weights()
    found = ExactOBS(images=40).fit(given, kept, Monitor(), 0)
    groups = {name: neighbours(mask, 4) for name, mask in kept.items()}
    every = torch.ones(1, 4, dtype=torch.bool)
    asked = found.cheapest(weights, groups, every)
    for name, weight in weights.items():
        hessians, width = found._hessians[name], weight[0].numel()
        each = len(weight) // len(hessians)
        blocks = within_rows(hessians, kept[name], groups[name])
        assert blocks.shape == (len(groups[name]), 4, 4)
        for group, loss in zip(groups[name].tolist(), asked[name][0], strict=True):
            members = [p for p in group if p < weight.numel()]
            if not members:
                assert loss == 0
                continue
            row = members[0] // width
            place = kept[name][row].reshape(-1).nonzero().flatten()
            part = hessians[row // each][place][:, place]
            inside = [place.tolist().index(p % width) for p in members]
            right = reference.set_loss(weight[row].reshape(-1)[place], inside, part)
            assert float(loss) == pytest.approx(right, rel=1e-7)
