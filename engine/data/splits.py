"""Drawing one split from another, every class in proportion."""

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
