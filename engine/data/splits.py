"""Drawing one split from another, every class in proportion."""

from dataclasses import replace

import torch
from torch import Tensor

from engine.data.base import Data, DataSpec, Split
from engine.errors import InputError

TEST_SEED = 20  # test images stay the same whatever the run's seed


def stratified(
    labels: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Indices that stay and indices drawn out, each ascending.

    Every class of two or more gives at least one and keeps at least one.

    Args:
        labels: (n,) int64.
        share: Fraction drawn of every class; 0 draws nothing.
        generator: On the CPU.
    """
    drawn = torch.zeros(len(labels), dtype=torch.bool)
    if share > 0 and len(labels):
        shuffled = torch.randperm(len(labels), generator=generator)
        by_class = shuffled[labels[shuffled].argsort(stable=True)]
        for members in by_class.split(torch.bincount(labels).tolist()):
            wanted = max(1, round(share * len(members)))
            drawn[members[: min(wanted, len(members) - 1)]] = True
    return (~drawn).nonzero()[:, 0], drawn.nonzero()[:, 0]


def proportional(labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Indices of exactly `count` images, ascending, every class by its share.

    Fractions of an image are settled by largest remainder, ties by the lower class.

    Args:
        labels: (n,) int64, at least `count`.
        count: How many.
        generator: On the CPU; decides which of a class.
    """
    sizes = torch.bincount(labels)
    exact = sizes.double() * count / max(len(labels), 1)
    whole = exact.floor().long()
    order = (exact - whole).argsort(descending=True, stable=True)
    whole[order[: count - int(whole.sum())]] += 1
    shuffled = torch.randperm(len(labels), generator=generator)
    by_class = shuffled[labels[shuffled].argsort(stable=True)].split(sizes.tolist())
    drawn = [of[:n] for of, n in zip(by_class, whole.tolist(), strict=True)]
    return torch.cat(drawn).sort().values if drawn else torch.empty(0).long()


def limited(data: Data, most: int, seed: int) -> Data:
    """The same data with at most so many images to train and validate with.

    Args:
        data: Test images stay as they are.
        most: Training and validation images together, divided as before.
        seed: Decides which they are.
    """
    there = len(data.train) + len(data.validation)
    if most >= there:
        return data
    generator = torch.Generator().manual_seed(seed)
    validation = min(round(most * len(data.validation) / there), most - 1)
    parts = {
        "train": (data.train, most - validation),
        "validation": (data.validation, validation),
    }
    drawn = {
        name: split.subset(proportional(split.labels, count, generator))
        for name, (split, count) in parts.items()
    }
    return replace(data, **drawn)


def draw_test(labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Training and test indices of data that come in one piece.

    Raises:
        InputError: There are too few images to set any aside.
    """
    train, test = stratified(labels, share, torch.Generator().manual_seed(TEST_SEED))
    if not len(test):
        raise InputError(
            "There are too few images to set some aside for testing.",
            "Give at least two images of a class, or separate test images.",
        )
    return train, test


def assemble(
    spec: DataSpec,
    train: Split,
    test: Split,
    share: float,
    seed: int,
    validation: Split | None = None,
) -> Data:
    """The data of a run; validation is drawn from `train` unless it is there already.

    Args:
        spec: What the network must know.
        train: Images to train with.
        test: Images to measure with.
        share: Fraction of every training class that becomes validation.
        seed: Decides which images those are.
        validation: Images that came as a split of their own.
    """
    if validation is None:
        generator = torch.Generator().manual_seed(seed)
        kept, drawn = stratified(train.labels, share, generator)
        train, validation = train.subset(kept), train.subset(drawn)
    for name, split in (("training", train), ("test", test)):
        if not len(split):
            raise InputError(
                f"{spec.name} has no {name} images.",
                "Add images, or lower data.validation and the test share.",
            )
    return Data(spec, train, validation, test)
