"""Gradients: per-sample gradients from batched passes against an autograd loop."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.gradients.backward import Objective
from engine.gradients.collector import Collector
from engine.models.resnet_cifar import CifarResNet
from engine.monitor import Monitor
from tests.benchmarks import plain, table, timing


def run(images: int = 128, size: int = 32, count: int = 3, least: float = 0.3) -> None:
    """Print how many times faster the engine collects them, and how equal they are."""
    torch.manual_seed(0)
    model = CifarResNet(channels=3, classes=10, blocks=3)
    names = tuple(
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    )
    inputs, labels = torch.randn(images, 3, size, size), torch.arange(images) % 10

    def fetch(indices: Tensor) -> tuple[Tensor, Objective]:
        chosen = labels[indices]
        return inputs[indices], lambda outputs: F.cross_entropy(
            outputs, chosen, reduction="none"
        )

    def ours() -> dict[str, Tensor]:
        groups = torch.arange(images)[:, None]
        collector = Collector(model, names, fetch, groups[:, 0], 1, Monitor())
        return collector.rows(groups, Monitor())

    def loop() -> dict[str, Tensor]:
        return plain.gradient_rows(model, names, inputs, labels)

    times = timing.rounds({"ours": ours, "loop": loop}, count, least)
    found, theirs = ours(), loop()
    model.double()
    inputs = inputs.double()
    exact, right = ours(), loop()
    table.show(
        "Per-sample gradients of ResNet-20: times faster than a loop of backward "
        "passes;\nrelative difference between the two in float64, and of each in "
        "float32 from that\n(rounding flips ReLUs whose input is almost 0)",
        ("images", "loop", "float64", "ours", "the loop's", "images/s"),
        [
            (
                f"{images} of 3 x {size} x {size}",
                timing.ratio(times["loop"], times["ours"]),
                _difference(exact, right),
                _difference(found, right),
                _difference(theirs, right),
                images / min(times["ours"]),
            )
        ],
    )


def _difference(found: dict[str, Tensor], right: dict[str, Tensor]) -> float:
    """Over all layers together."""
    squares = sum((found[name] - right[name]).square().sum() for name in right)
    return float((squares / sum(r.square().sum() for r in right.values())).sqrt())
