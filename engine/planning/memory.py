"""Memory of gradients and curvature, from the shapes and limits a run works with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from engine.curvature import sweep
from engine.curvature.blocks import BUDGET
from engine.curvature.layout import LiveWeights
from engine.data.base import Data
from engine.estimators.base import ObsEstimator
from engine.gradients.pages import PAGE, PART, Storage
from engine.planning.work import READING
from engine.recipe import Recipe
from engine.sharing.shares import dealt

HALF, SINGLE, DOUBLE, INDEX = 2, 4, 8, 8  # bytes of float16, 32, 64 and int64
RUNTIME = 85 * 10**6  # bytes that kernels and threads take at their first use
WORK = 2 * BUDGET  # bytes of the float64 work on a few blocks


@dataclass(frozen=True)
class Extent:
    """A network and its data in numbers.

    Attributes:
        parameters: Bytes of the weights and statistics.
        layers: Prunable weights by layer.
        shape: Of one input.
        train, validation, test: Images.
        cores: That factor blocks side by side; 1 on a GPU.
    """

    parameters: int
    layers: tuple[int, ...]
    shape: tuple[int, ...]
    train: int
    validation: int
    test: int
    cores: int = 1

    @property
    def prunable(self) -> int:
        """Weights that can go."""
        return sum(self.layers)


def extent(model: nn.Module, names: tuple[str, ...], data: Data) -> Extent:
    """Of a loaded network and loaded data."""
    tensors = [*model.parameters(), *model.buffers()]
    return Extent(
        parameters=sum(tensor.nbytes for tensor in tensors),
        layers=tuple(model.get_parameter(name).numel() for name in names),
        shape=data.spec.shape,
        train=len(data.train),
        validation=len(data.validation),
        test=len(data.test),
        cores=torch.get_num_threads() if tensors[0].device.type == "cpu" else 1,
    )


def curvature(
    size: Extent, recipe: Recipe, block: int, storage: Storage, processes: int = 1
) -> dict[str, int]:
    """Bytes of the gradient rows and the inverse in each phase.

    Args:
        size: Of the network and its data.
        recipe: Gives N, b and what is ranked together.
        block: Weights per block; 0 is the whole layer.
        storage: Where gradients are kept, and how exactly.
        processes: Of the run; each owns some layers.
    """
    rows, paged = samples(recipe.estimator, size), storage.paged
    joining = 0
    own = replace(size, layers=_most_owned(size.layers, processes))
    if recipe.estimator.joins_layers:
        size = own = replace(size, layers=(size.prunable,))
        joining = SINGLE * rows * size.prunable  # both while they are joined
    masks = (1 + recipe.estimator.newton_bytes) * size.prunable
    drawn = SINGLE * recipe.bootstrap * own.prunable
    if drawn and not paged:  # a layer's rows once more
        drawn += SINGLE * rows * max(own.layers)
    scores = DOUBLE * size.prunable
    cutting = (SINGLE + 1) * size.prunable + max(_cutting(own, rows, block, paged))
    if recipe.estimator.order == "greedy":
        cutting = max(cutting, _eliminating(own, block))
        scores += SINGLE * size.prunable  # the weights they are of
    if paged:
        there = 0 if storage.folder else held(size, recipe.estimator, storage)
        pages = max(_page(size, rows, n, block) for n in size.layers)
        fitted = there + scores  # the diagonal
        fitting = fitted + pages
        if isinstance(recipe.estimator.cut, LiveWeights):  # parts on their way
            together = 2 * (PAGE // PART)
            fitting, cutting = fitting + together, cutting + together
        gradients = masks + there
    else:
        gradients = masks + SINGLE * rows * own.prunable
        if processes > 1:  # rows as taken, before they reach the layers' owners
            gradients += SINGLE * -(-rows // processes) * size.prunable
        fitting, fitted = _fit_in_memory(own, rows, block)
    fitted += drawn
    return {
        "gradients": gradients,
        "curvature": masks + drawn + max(fitting, 2 * joining),
        "selection": masks + fitted + scores + max(ranking(size, recipe), cutting),
    }


def _most_owned(layers: tuple[int, ...], processes: int) -> tuple[int, ...]:
    """The layers of the process that owns most weights."""
    owners = dealt(layers, processes)
    each = [
        tuple(n for n, owner in zip(layers, owners, strict=True) if owner == rank)
        for rank in range(processes)
    ]
    return max(each, key=sum)


def ranking(size: Extent, recipe: Recipe) -> int:
    """Bytes while a threshold is found: candidates, their order, the chosen."""
    joint = recipe.allocation.kind != "uniform"
    pool = size.prunable if joint else max(size.layers)
    found = (4 * DOUBLE + INDEX + 4) * pool
    width = recipe.pattern.width
    if width > 1:  # positions, members and saliencies; then one layer's inverses
        found += (2 * INDEX + DOUBLE) * size.prunable
        found += (3 * (DOUBLE + 1) * width + 4 * INDEX) * max(size.layers)
    return found


def study(size: Extent) -> int:
    """Bytes on the host of what the window keeps of a scoring: ranks and a copy."""
    return (2 * DOUBLE + 2 * SINGLE) * size.prunable + size.parameters


def samples(estimator: ObsEstimator, size: Extent) -> int:
    """Gradient rows that are taken: there may be too few images."""
    return min(estimator.samples, size.train if estimator.batch == 1 else 10**9)


def held(size: Extent, estimator: ObsEstimator, storage: Storage) -> int:
    """Bytes of all gradient rows, wherever they are."""
    each = HALF if storage.half else SINGLE
    return each * samples(estimator, size) * size.prunable


def products(
    size: Extent, rows: int, block: int, paged: bool, greedy: bool = False
) -> tuple[float, float]:
    """Multiply-accumulates to fit the curvature, and to score and correct with it."""
    fit = cut = 0.0
    for weights in size.layers:
        count, width = blocks_of(weights, block)
        rank = min(rows, width)
        gram, factor = count * rank * rows * width, count * rank**3 / 6
        inverse = count * rank * rank * (width if rows <= width else rank) / 2
        fit += gram + factor + inverse
        cut += (gram + factor) * paged + gram / 4  # of the survivors
        cut += greedy * count * width**3 * READING
    return fit, cut


def blocks_of(weights: int, block: int) -> tuple[int, int]:
    """(blocks, width) of a layer."""
    width = min(block or weights, weights)
    return -(-weights // width), width


def _fit_in_memory(size: Extent, rows: int, block: int) -> tuple[int, int]:
    """(most, final) bytes while layer after layer turns into its inverse."""
    now = most = SINGLE * rows * size.prunable
    for weights in size.layers:
        count, width = blocks_of(weights, block)
        slots = count * width
        aligned = SINGLE * rows * slots if slots != weights or count > 1 else 0
        rank = min(rows, width)
        inverse = count * rank * rank * DOUBLE + slots * (DOUBLE + INDEX)
        most = max(most, now + aligned + inverse + _work(size, count, rows, width))
        freed = SINGLE * rows * weights
        kept = (aligned or freed) if rows <= width else 0
        now += inverse + kept - freed
    return most, now


def _page(size: Extent, rows: int, weights: int, block: int) -> int:
    """Bytes of a page, its blocks side by side, and the work on them."""
    _, width = blocks_of(weights, block)
    step = min(weights, width * max(1, PAGE // (SINGLE * rows * width)))
    count = -(-step // width)
    rank = min(rows, width)
    aligned = SINGLE * rows * count * width if count > 1 else 0
    inverse = count * (rank * rank + width) * DOUBLE
    pages = 2 * SINGLE * rows * step  # one is read while the other is worked on
    return pages + aligned + inverse + _work(size, count, rows, width)


def _cutting(size: Extent, rows: int, block: int, paged: bool) -> Iterator[int]:
    """Bytes per layer while it is corrected: vectors, and a page if there are pages."""
    for weights in size.layers:
        count, width = blocks_of(weights, block)
        if paged:
            work = _page(size, rows, weights, block)
        else:
            work = _work(size, count, rows, width)
        yield 6 * DOUBLE * weights + work


def _eliminating(size: Extent, block: int) -> int:
    """Bytes of dense inverses and what they are made from."""
    found = []
    for count, width in (blocks_of(weights, block) for weights in size.layers):
        inverse = DOUBLE * width**2
        found.append(4 * min(count * inverse, max(sweep.BUDGET, inverse)))
    return max(found)


def _work(size: Extent, count: int, rows: int, width: int) -> int:
    """Bytes of float64 panels, Gram matrices and their factors, for each core's."""
    rank = min(rows, width)
    each = DOUBLE * (5 * rank * rank + 2 * rows * width)
    one = max(WORK, 6 * DOUBLE * rank * rank)
    return min(count * each, one * size.cores)
