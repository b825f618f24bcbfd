"""Fine-tuning: images a second of the engine against a bare training loop."""

import torch

from engine.data.base import Data, DataSpec
from engine.data.memory import MemorySplit
from engine.data.preparation import Preparation
from engine.finetune import Finetuner, make_optimizer
from engine.loss import Loss
from engine.masks import Masks
from engine.models.resnet_cifar import CifarResNet
from engine.monitor import Monitor
from engine.settings import Finetune
from tests.benchmarks import plain, table, timing

CASES = (  # name, channels, height, blocks per stage, images, batch, augmentation
    ("ResNet-20, 3 x 32 x 32", 3, 32, 3, 1024, 128, "none"),
    ("the same, crop and flip", 3, 32, 3, 1024, 128, "crop_flip"),
    ("demo network, 1 x 8 x 8", 1, 8, 1, 2048, 64, "none"),
)


def run(cases: tuple = CASES, count: int = 5, least: float = 1.0) -> None:
    """Print which share of the bare loop's speed is left."""
    table.show(
        "Fine-tuning with masks held, from stored bytes: share of the images/s of a "
        "bare loop on ready tensors",
        ("network, images", "of bare", "images/s"),
        (_row(*case, count, least) for case in cases),
    )


def _row(
    name: str, channels: int, size: int, blocks: int, images: int, batch: int,
    augment: str, count: int, least: float,
) -> tuple:  # fmt: skip
    torch.manual_seed(0)
    shape = (channels, size, size)
    stored = torch.randint(0, 256, (images, *shape), dtype=torch.uint8)
    labels = torch.arange(images) % 10
    preparation = Preparation(shape, 255.0, (0.5,), (0.25,), augment)
    split = MemorySplit(stored, labels, preparation)
    empty = split.subset(torch.arange(0))
    spec = DataSpec("noise", shape, tuple("0123456789"))
    settings = Finetune(epochs=1000, batch=batch, learning_rate=1e-3, keep="last")
    ours, bare = (CifarResNet(channels, 10, blocks) for _ in range(2))
    bare.load_state_dict(ours.state_dict())
    tuner = Finetuner(
        ours, Data(spec, split, empty, empty), Loss(), settings, 0, batch, Monitor()
    )
    masks = _masks(ours)
    optimizer = make_optimizer(bare, settings)
    ready, _ = split.batch(torch.arange(images))
    tasks = {
        "ours": lambda: tuner.run_epoch(masks, recovering=False),
        "bare": lambda: plain.train(bare, ready, labels, batch, optimizer),
    }
    times = timing.rounds(tasks, count, least)
    return name, timing.ratio(times["bare"], times["ours"]), images / min(times["ours"])


def _masks(model: CifarResNet) -> Masks:
    """Nine of ten weights removed."""
    return {
        name: torch.rand(weight.shape) < 0.1
        for name, weight in model.named_parameters()
        if weight.ndim > 1
    }
