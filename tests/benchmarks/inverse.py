"""Inverse: the closed form of a block's curvature against the two recursions."""

from collections.abc import Iterator
from functools import partial
from statistics import median

import torch
from torch import Tensor

from engine.curvature.block_fishers import block_fishers
from engine.curvature.inverse import Inverse
from engine.monitor import Monitor
from tests.benchmarks import table, timing
from tests.benchmarks.plain import Mfac, RankOne

SIZES = (  # gradients N, weights in a block c, blocks
    (400, 2000, 4),
    (1000, 2000, 2),
    (100, 2000, 8),
    (1000, 500, 16),
    (400, 50, 256),
)
COLUMNS = (
    "gradients, block, blocks", "rank-one", "M-FAC", "of product",
    "err diag", "err r-one", "err M-FAC", "err solve", "err r-one", "err M-FAC",
)  # fmt: skip
DAMPING = 1e-5  # what the engine proposes
LAYER = "layer"


def run(
    sizes: tuple = SIZES, count: int = 3, least: float = 0.3, product: int = 1500
) -> None:
    """Print how many times faster the engine is, how accurate, how near the peak."""
    table.show(
        "Block inverse, from float32 gradients to the diagonal: times faster than the "
        "float32 recursions;\nshare of the float64 matrix-product rate (symmetric and "
        "triangular work counted once);\nrelative error against float64: ours, "
        "rank-one, M-FAC",
        COLUMNS,
        (_row(*size, count, least, product) for size in sizes),
    )


def _row(
    samples: int, width: int, blocks: int, count: int, least: float, product: int
) -> tuple:
    gradients = _gradients(samples, width, blocks)
    rows = gradients.transpose(0, 1).reshape(samples, -1)
    multiply, operations = timing.product(product)
    tasks = {
        "ours": lambda: _fit(rows, width).diag(),
        "product": multiply,
        "mfac": lambda: Mfac(gradients, DAMPING).diag(),
        "rank one": lambda: RankOne(gradients, DAMPING).diag(),
    }
    times = timing.rounds(tasks, count, least)
    share = median(
        blocks * _operations(samples, width) / ours / (operations / theirs)
        for ours, theirs in zip(times["ours"], times["product"], strict=True)
    )
    faster = (timing.ratio(times[name], times["ours"]) for name in ("rank one", "mfac"))
    name = f"{samples}, {width}, {blocks}"
    return name, *faster, share, *_errors(gradients)


def _gradients(samples: int, width: int, blocks: int) -> Tensor:
    """Noise whose size differs between samples and between weights, as a network's."""
    generator = torch.Generator().manual_seed(0)
    noise = partial(torch.randn, generator=generator)
    strength = noise(blocks, samples, 1).exp() * noise(blocks, 1, width).exp()
    return 1e-2 * strength * noise(blocks, samples, width)


def _fit(rows: Tensor, width: int) -> Inverse:
    live = torch.ones(rows.shape[1], dtype=torch.bool)
    return block_fishers({LAYER: rows}, {LAYER: live}, width, DAMPING, Monitor())[LAYER]


def _operations(samples: int, width: int) -> float:
    """Multiplications and additions that the formula needs for one block.

    N <= c: half of G G^T, its factor, and the triangular solve for T. N > c: half of
    G^T G, its factor and the inverse of the factor.
    """
    if samples <= width:
        return 2.0 * samples**2 * width + samples**3 / 3
    return 1.0 * samples * width**2 + 2 * width**3 / 3


def _errors(gradients: Tensor) -> Iterator[float]:
    """Of the first block: diagonals, then one solve; ours, rank-one, M-FAC."""
    first = gradients[:1]
    exact = gradients[0].double()
    width = exact.shape[1]
    fisher = exact.T @ exact / len(exact)
    fisher.diagonal().add_(DAMPING)
    inverse = torch.linalg.inv(fisher)
    vector = torch.randn(width, generator=torch.Generator().manual_seed(1))
    plain = (RankOne(first, DAMPING), Mfac(first, DAMPING))
    ours = _fit(gradients[0], width)
    right = inverse.diagonal()
    yield _error(ours.diag(), right)
    yield from (_error(each.diag()[0], right) for each in plain)
    right = inverse @ vector.double()
    yield _error(ours.solve(vector.double()), right)
    yield from (_error(each.solve(vector[None])[0], right) for each in plain)


def _error(found: Tensor, right: Tensor) -> float:
    return float((found.double() - right).norm() / right.norm())
