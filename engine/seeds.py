"""Seeds for streams of random numbers that must not repeat each other."""

from zlib import crc32

import torch


def of_step(seed: int, number: int) -> int:
    """The seed of a prune step from 0: the run's own, then others.

    Counting up would give a step what the step before has under the next seed.
    """
    return crc32(f"{seed}/step/{number}".encode()) if number else seed


def generator(*labels: int | str) -> torch.Generator:
    """A generator on the processor whose stream depends on all labels.

    torch seeds its Mersenne twister with 32 bits only, so adding a large number to a
    seed may change nothing; the labels are hashed to that width.
    """
    text = "/".join(str(label) for label in labels)
    return torch.Generator().manual_seed(crc32(text.encode()))
