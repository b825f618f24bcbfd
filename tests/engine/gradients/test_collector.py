"""Gradient rows against plain autograd, for many kinds of networks."""

import pytest
import torch
from torch import nn
from torchvision import models

from engine.errors import RunError
from engine.gradients import collector as gradients
from engine.gradients.collector import Collector
from engine.loss import Loss
from engine.monitor import Control, Monitor, Stopped
from engine.problem import Problem, draw
from tests import reference
from tests.cases import CASES, Case, Images, prunable

WAYS = ("by vmap", "one image at a time")
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def problem(case: Case, images: int = 12, dtype: torch.dtype = torch.float64):
    model = case.build().to(dtype)
    split = Images(
        torch.randn(images, *case.shape, dtype=dtype), torch.randint(0, 3, (images,))
    )
    return Problem(model, prunable(model), split, Loss())


def expected(case_problem: Problem, groups: torch.Tensor) -> dict[str, torch.Tensor]:
    images, labels = case_problem.train.batch(groups.reshape(-1))
    return reference.gradient_rows(
        case_problem.model, case_problem.names, images, labels, groups.shape[1]
    )


def collected(case_problem: Problem, groups: torch.Tensor, monitor: Monitor):
    given = (case_problem.model, case_problem.names, case_problem._fetch)
    collector = Collector(*given, groups.reshape(-1), groups.shape[1], monitor)
    return collector.rows(groups, monitor)


@cases
@pytest.mark.parametrize("size", [1, 3])
def test_rows_are_the_gradients_of_plain_autograd(case: Case, size: int):
    given = problem(case)
    groups = torch.randperm(12).reshape(-1, size)
    monitor = Monitor()
    found = collected(given, groups, monitor)
    for name, right in expected(given, groups).items():
        torch.testing.assert_close(found[name], right, rtol=1e-10, atol=1e-12)
    told = {way: " ".join(n for n in monitor.notices if way in n) for way in WAYS}
    noticed = [[name for name in given.names if name in told[way]] for way in WAYS]
    assert noticed == [list(case.vmapped), list(case.looped)]


@cases
def test_float32_rows_agree_to_1e_5(case: Case):
    given = problem(case, dtype=torch.float32)
    groups = torch.arange(12)[:, None]
    found = collected(given, groups, Monitor())
    for name, right in expected(given, groups).items():
        assert found[name].dtype == torch.float32
        assert (found[name] - right).norm() <= 1e-5 * right.norm()


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_lopsided_padding_needs_no_loop():
    def build():
        conv = nn.Conv2d(1, 2, (4, 2), padding="same")
        return nn.Sequential(conv, nn.Flatten(), nn.Linear(50, 3))

    given = problem(Case("lopsided", build, (1, 5, 5)))
    groups, monitor = torch.arange(12)[:, None], Monitor()
    found = collected(given, groups, monitor)
    assert monitor.notices == []
    for name, right in expected(given, groups).items():
        torch.testing.assert_close(found[name], right)


def test_large_groups_take_an_ordinary_backward_in_pieces(monkeypatch):
    given = problem(CASES[1], images=30)
    monkeypatch.setattr(gradients, "BUDGET", 10_000)  # a few images at once
    groups = torch.arange(30).reshape(2, 15)
    monitor = Monitor()
    found = collected(given, groups, monitor)
    for name, right in expected(given, groups).items():
        torch.testing.assert_close(found[name], right)
    assert monitor.notices == []


def test_micro_batches_of_one_image_give_the_same_rows(monkeypatch):
    given = problem(CASES[3])
    groups = torch.arange(12)[:, None]
    whole = collected(given, groups, Monitor())
    monkeypatch.setattr(gradients, "BUDGET", 1)
    single = collected(given, groups, Monitor())
    for name in given.names:
        torch.testing.assert_close(single[name], whole[name])


def vgg11(num_classes: int) -> nn.Module:
    """Without its classifier of 120 million weights."""
    layers = models.vgg.make_layers(models.vgg.cfgs["A"])
    return nn.Sequential(layers, nn.Flatten(), nn.Linear(512, num_classes))


def tiny_vit() -> nn.Module:
    vit = models.VisionTransformer(16, 8, 2, 2, 8, 16, num_classes=3)
    nn.init.normal_(vit.heads.head.weight)
    return vit


def tiny_swin() -> nn.Module:
    return models.SwinTransformer([2, 2], 8, [1, 1], [2, 2], [2, 2], num_classes=3)


@pytest.mark.parametrize(
    "build", [models.resnet18, models.mobilenet_v2, vgg11, models.densenet121]
)
def test_torchvision_networks_need_no_loop(build):
    model = build(num_classes=3)
    chosen = prunable(model)
    names = (chosen[0], chosen[len(chosen) // 2], chosen[-2], chosen[-1])
    split = Images(torch.randn(3, 3, 32, 32), torch.tensor([0, 1, 2]))
    given = Problem(model, names, split, Loss())
    groups = torch.arange(3)[:, None]
    monitor = Monitor()
    found = collected(given, groups, monitor)
    assert monitor.notices == []
    for name, right in expected(given, groups).items():
        assert right.norm() > 0
        assert (found[name] - right).norm() <= 1e-5 * right.norm()


@pytest.mark.parametrize("build", [tiny_vit, tiny_swin])
def test_attention_of_torchvision_is_vmapped(build):
    model = build()
    names = tuple(n for n in prunable(model) if "pos" not in n and "token" not in n)
    split = Images(torch.randn(3, 3, 16, 16), torch.tensor([0, 1, 2]))
    given = Problem(model, names, split, Loss())
    groups = torch.arange(3)[:, None]
    monitor = Monitor()
    found = collected(given, groups, monitor)
    assert len(monitor.notices) == 1 and "by vmap" in monitor.notices[0]
    for name, right in expected(given, groups).items():
        assert (found[name] - right).norm() <= 2e-5 * right.norm()


def test_a_certain_network_is_still_trusted():
    given = problem(CASES[1], dtype=torch.float32)
    with torch.no_grad():
        given.model[3].weight.mul_(1e3)
    monitor = Monitor()
    collected(given, torch.arange(12)[:, None], monitor)
    assert monitor.notices == []


def test_rounding_that_depends_on_the_batch_does_not_cost_trust():
    class Rounding(nn.Linear):
        """Flips gates for a single image, as other kernels for other sizes do."""

        def forward(self, x):
            return super().forward(x) * (1 if len(x) > 1 else -1)

    def build():
        return nn.Sequential(
            nn.Linear(5, 4), Rounding(4, 4), nn.ReLU(), nn.Linear(4, 3)
        )

    given, monitor = problem(Case("rounding", build, (5,))), Monitor()
    collected(given, torch.arange(12)[:, None], monitor)
    assert monitor.notices == ["Gradients of 1.weight are taken one image at a time."]


def test_mode_flags_and_gradients_are_left_alone():
    given = problem(next(case for case in CASES if case.name == "residual"))
    given.model.train()
    given.model.norm.eval()
    given.model.second.weight.requires_grad_(False)
    before = {k: v.clone() for k, v in given.model.state_dict().items()}
    with torch.no_grad():
        given.gradients(4, 1, 0, {}, Monitor())
    assert given.model.training and not given.model.norm.training
    flags = {n: p.requires_grad for n, p in given.model.named_parameters()}
    assert [n for n, flag in flags.items() if not flag] == ["second.weight"]
    assert all(p.grad is None for p in given.model.parameters())
    for name, value in given.model.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(module._forward_hooks for module in given.model.modules())


def test_a_stop_restores_the_network():
    given = problem(CASES[1])
    given.model.train()
    control = Control()
    control.stop()
    with pytest.raises(Stopped):
        given.gradients(4, 1, 0, {}, Monitor(control=control))
    assert given.model.training
    assert all(p.requires_grad for p in given.model.parameters())


def test_layers_behind_a_stretch_without_graph_are_served():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(1, 2, 3), nn.Linear(2, 3)

        def forward(self, x):
            return self.head(self.conv(x).relu_().mean((2, 3)).detach())

    given = problem(Case("cut", Cut, (1, 5, 5)))
    groups = torch.arange(12)[:, None]
    found = collected(given, groups, Monitor())
    for name, right in expected(given, groups).items():
        torch.testing.assert_close(found[name], right)
    assert found["conv.weight"].abs().sum() == 0


def test_draws_are_seeded_and_without_replacement():
    monitor = Monitor()
    first = draw(20, 5, 3, 7, monitor)
    assert first.shape == (5, 3) and len(first.unique()) == 15
    assert torch.equal(first, draw(20, 5, 3, 7, monitor))
    assert not torch.equal(first, draw(20, 5, 3, 8, monitor))
    assert monitor.notices == []


def test_too_few_images_for_single_gradients_give_fewer_rows_and_a_notice():
    monitor = Monitor()
    assert sorted(draw(20, 50, 1, 0, monitor).flatten().tolist()) == list(range(20))
    assert monitor.notices == [
        "There are 20 training images, so 20 gradients are taken instead of 50."
    ]


def test_too_few_images_for_groups_are_used_again_and_noticed():
    monitor = Monitor()
    groups = draw(20, 10, 5, 0, monitor)
    assert groups.shape == (10, 5)
    assert set(groups.flatten().bincount().tolist()) <= {2, 3}
    assert "up to 3 times" in monitor.notices[0]


def test_no_images_is_a_sentence():
    with pytest.raises(RunError, match="no training images"):
        draw(0, 10, 1, 0, Monitor())
