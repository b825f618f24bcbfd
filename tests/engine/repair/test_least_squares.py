"""Layers refitted to the dense network's outputs, against the slow truth."""

import copy

import pytest
import torch
from torch import nn

from engine.errors import RunError, Stopped
from engine.events import Progressed
from engine.loss import Loss
from engine.monitor import Control, Monitor
from engine.repair import LayerRepair, least_squares
from engine.repair.sensitivity import sensitivities
from engine.settings import Repair
from tests.cases import CASES, Images, prunable
from tests.reference import layer_inputs, surviving_fit, weighted_fit

RIDGE = 1e-3
ALL = 10**6
PAIRS = {
    "linear": (lambda: (nn.Linear(6, 6), nn.Linear(6, 5)), (40, 6)),
    "leading": (lambda: (nn.Linear(6, 6), nn.Linear(6, 5, bias=False)), (20, 3, 6)),
    "padded": (
        lambda: (nn.Conv2d(4, 4, 1), nn.Conv2d(4, 6, 3, stride=2, padding=1)),
        (20, 4, 7, 6),
    ),
    "grouped": (
        lambda: (
            nn.Conv2d(4, 4, 1, bias=False),
            nn.Conv2d(4, 6, (3, 2), padding=(0, 2), dilation=(1, 2), groups=2),
        ),
        (20, 4, 6, 6),
    ),
    "depthwise": (
        lambda: (nn.Conv2d(4, 4, 1), nn.Conv2d(4, 8, 3, padding=1, groups=4)),
        (20, 4, 5, 5),
    ),
}


def halves(model):
    """Masks that keep a random half, applied."""
    masks = {n: torch.rand_like(model.get_parameter(n)) > 0.5 for n in prunable(model)}
    for name, mask in masks.items():
        model.get_parameter(name).data.mul_(mask)
    return masks


def repair(dense, images, model, masks, monitor=None, **settings):
    split = Images(images, torch.zeros(len(images), dtype=torch.int64))
    options = {"samples": len(images), "positions": ALL, "ridge": RIDGE, **settings}
    mend = LayerRepair(dense, tuple(masks), split, Loss(), Repair(**options), 0)
    mend(model, masks, monitor or Monitor())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_each_layer_is_the_dense_fit_on_repaired_inputs(monkeypatch, name, weighted):
    metrics = {}

    def measured(*given):
        metrics.update(sensitivities(*given))
        return metrics

    monkeypatch.setattr(least_squares, "sensitivities", measured)
    build, shape = PAIRS[name]
    first, second = build()
    dense = nn.Sequential(first, nn.Tanh(), second).double()
    model = copy.deepcopy(dense)
    images = torch.randn(shape).double()
    masks = halves(model)
    pruned = copy.deepcopy(model)
    repair(dense, images, model, masks, weighted=weighted)
    wanted_at, seen = dense[:1](images), images
    for at in ("0", "2"):
        layer, old = model[int(at)], pruned[int(at)]
        x = layer_inputs(layer, seen)
        bias = 0 if layer.bias is None else layer.bias.detach()
        channels = wanted_at.movedim(-1 if isinstance(layer, nn.Linear) else 1, -1)
        groups = len(x)
        targets = (channels.reshape(x.shape[1], -1) - bias).chunk(groups, 1)
        weights = old.weight.detach().flatten(1).chunk(groups)
        kept = masks[f"{at}.weight"].flatten(1).chunk(groups)
        fits, parts = [], zip(x, targets, weights, kept, strict=True)
        for group, part in enumerate(parts):
            if weighted:  # by the metric of the group's own channels
                own = slice(group * len(part[2]), (group + 1) * len(part[2]))
                metric = metrics[f"{at}.weight"][own, own]
                fits.append(weighted_fit(*part, RIDGE, metric))
            else:
                fits.append(surviving_fit(*part, RIDGE))
        truth = torch.cat(fits)
        assert torch.allclose(layer.weight.flatten(1), truth, atol=1e-6, rtol=1e-6)
        wanted_at, seen = dense(images), model[:2](images)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_removed_weights_stay_zero_and_the_network_comes_nearer(case):
    dense = case.build().eval()
    model = copy.deepcopy(dense)
    images = torch.randn(64, *case.shape)
    names = [n for n in prunable(model) if model.get_parameter(n).dim() > 1]
    masks = {n: torch.rand_like(model.get_parameter(n)) > 0.3 for n in names}
    for name, mask in masks.items():
        model.get_parameter(name).data.mul_(mask)
    with torch.no_grad():
        before = (model(images) - dense(images)).square().sum()
        repair(dense, images, model, masks)
        after = (model(images) - dense(images)).square().sum()
    assert after <= before
    for name, mask in masks.items():
        assert not model.get_parameter(name)[~mask].any()


def test_a_full_mask_gives_the_dense_layer_back():
    dense = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)).double()
    model = copy.deepcopy(dense)
    masks = {n: torch.ones_like(dense.get_parameter(n)).bool() for n in prunable(dense)}
    for name in masks:
        model.get_parameter(name).data.mul_(1.5)
    repair(dense, torch.randn(30, 3, 8, 8).double(), model, masks, ridge=1e-10)
    for name in masks:
        truth = dense.get_parameter(name)
        assert torch.allclose(model.get_parameter(name), truth, atol=1e-6)


def test_a_choice_of_positions_is_nearly_as_good_as_all():
    dense = nn.Sequential(nn.Conv2d(3, 4, 3))
    images = torch.randn(50, 3, 8, 8)
    few, every = copy.deepcopy(dense), copy.deepcopy(dense)
    masks = halves(few)
    halves_of_every = {n: m.clone() for n, m in masks.items()}
    every.load_state_dict(few.state_dict())
    repair(dense, images, few, masks, positions=900)
    repair(dense, images, every, halves_of_every)
    difference = (few[0].weight - every[0].weight).norm()
    assert 0 < difference < 0.2 * every[0].weight.norm()


def test_a_stop_between_layers_leaves_the_network_as_it_was():
    dense = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 5))
    model = copy.deepcopy(dense)
    masks = halves(model)
    before = copy.deepcopy(model.state_dict())
    control = Control()
    seen = []

    def stop(event):
        if isinstance(event, Progressed) and event.label == "Least squares":
            seen.append(event)
            control.stop()

    with pytest.raises(Stopped):
        repair(dense, torch.randn(40, 6), model, masks, Monitor(stop, control))
    assert seen
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not model[0]._forward_pre_hooks


def test_a_refit_that_is_not_finite_is_an_error_and_changes_nothing():
    dense = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 5))
    model = copy.deepcopy(dense)
    masks = halves(model)
    before = copy.deepcopy(model.state_dict())
    images = torch.full((40, 6), torch.inf)
    with pytest.raises(RunError, match="not finite"):
        repair(dense, images, model, masks)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("name", ["twice", "tied", "attention", "transposed"])
def test_layers_of_other_kinds_are_left_alone_and_named(name):
    case = next(case for case in CASES if case.name == name)
    dense = case.build().eval()
    model = copy.deepcopy(dense)
    masks = halves(model)
    before = copy.deepcopy(model.state_dict())
    said = []
    repair(dense, torch.randn(64, *case.shape), model, masks, Monitor(said.append))
    left = next(e.message for e in said if "alone" in getattr(e, "message", ""))
    named = [n for n in masks if f" {n}," in left or f" {n} " in left]
    assert named and "head.weight" not in named
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]) == (key in named or key not in masks)


def test_images_that_do_not_fit_are_left_out_with_a_notice(monkeypatch):
    monkeypatch.setattr(
        least_squares, "BUDGET", 6 * 4 * 6 * 30
    )  # 30 images of 6 floats
    dense = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 5))
    model = copy.deepcopy(dense)
    said = []
    masks = halves(model)
    repair(dense, torch.randn(40, 6), model, masks, Monitor(said.append))
    assert any("30 images instead of 40" in getattr(e, "message", "") for e in said)


def test_weighted_the_predictions_come_nearer():
    dense = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    images = torch.randn(400, 3, 5, 5)
    masks = None
    divergence = []
    for weighted in (False, True):
        model = copy.deepcopy(dense)
        torch.manual_seed(1)
        masks = halves(model)
        repair(dense, images, model, masks, weighted=weighted)
        with torch.no_grad():
            truth, found = dense(images).log_softmax(1), model(images).log_softmax(1)
        divergence.append(float((truth.exp() * (truth - found)).sum(1).mean()))
    assert divergence[1] < divergence[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_weights_of_the_cpu():
    dense = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)).double()
    model = copy.deepcopy(dense)
    masks = halves(model)
    images = torch.randn(30, 3, 8, 8).double()
    other = copy.deepcopy(model).cuda()
    repair(dense, images, model, masks)
    moved = {name: mask.cuda() for name, mask in masks.items()}
    repair(copy.deepcopy(dense).cuda(), images.cuda(), other, moved)
    for name in masks:
        there = other.get_parameter(name).cpu()
        assert torch.allclose(there, model.get_parameter(name), atol=1e-8)
