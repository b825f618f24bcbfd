"""Memory of a run by phase, from the same shapes and limits the run works with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from engine import meter, sweep
from engine.blocks import BUDGET
from engine.data.base import Data
from engine.estimators.base import ObsEstimator
from engine.gradients import LOOP_FROM, PROBE, images_at_once, rows_at_once
from engine.pages import PAGE
from engine.passes import batched, looped
from engine.recipe import Recipe
from engine.repair import batch_norms
from engine.shares import dealt
from engine.ways import Ways, ways_of

SINGLE, DOUBLE, INDEX = 4, 8, 8  # bytes of float32, float64 and int64
RUNTIME = 85 * 10**6  # bytes that kernels and threads take at their first use
WORK = 2 * BUDGET  # bytes of the float64 work on a few blocks
HELD = 1.65  # times live bytes that training holds on a CPU; malloc keeps 1.5 to 1.9
READING = 4  # times slower is elimination, half of it products with a vector
FIT_BATCH = 128  # images of the fit check's batch norm


@dataclass(frozen=True)
class Extent:
    """A network and its data in numbers.

    Attributes:
        parameters: Bytes of the weights and statistics.
        layers: Prunable weights by layer.
        shape: Of one input.
        train, validation, test: Images.
    """

    parameters: int
    layers: tuple[int, ...]
    shape: tuple[int, ...]
    train: int
    validation: int
    test: int

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
    )


def passes(
    model: nn.Module, names: tuple[str, ...], size: Extent, recipe: Recipe
) -> dict[str, int]:
    """Bytes of activations and the like in each phase, whatever the curvature does."""
    measured = partial(meter.peak, model, size.shape)
    model.eval()
    shown = min(recipe.machine.batch, max(size.test, size.validation or size.train))
    found = {"evaluate": measured(shown, _forward)}
    if batch_norms(model):  # the fit check re-estimates them on a copy
        again = min(recipe.machine.batch, FIT_BATCH, size.train)
        found["repair"] = size.parameters + measured(again, _forward)
    if isinstance(recipe.estimator, ObsEstimator):
        found["gradients"] = _gradients(model, names, size, recipe.estimator)
    if recipe.finetune.epochs:
        batch = min(recipe.finetune.batch, size.train)
        moments = {"sgd": 1, "adamw": 2}[recipe.finetune.optimizer]
        best = recipe.finetune.keep == "best"
        kept = (1 + moments + best) * size.parameters  # gradients, moments, best
        model.train()
        cpu = next(model.parameters()).device.type == "cpu"
        found["finetune"] = kept + int(measured(batch, _train) * (HELD if cpu else 1))
        model.eval()
        saved = (1 + moments + best) * size.parameters
        found["save"] = kept + saved
        levels = recipe.schedule.levels(
            recipe.allocation.sparsity, recipe.finetune.epochs
        )
        if levels[-1].epoch:  # training has begun before the last prune
            for phase in ("gradients", "curvature", "selection"):
                found[phase] = found.get(phase, 0) + kept
    return found


def curvature(
    size: Extent, recipe: Recipe, block: int, paged: bool, processes: int = 1
) -> dict[str, int]:
    """Bytes of the gradient rows and the inverse in each phase.

    Args:
        size: Of the network and its data.
        recipe: Gives N, b and what is ranked together.
        block: Weights per block; 0 is the whole layer.
        paged: Gradients are on the disk.
        processes: Of the run; each owns some layers.
    """
    rows = samples(recipe.estimator, size)
    joining = 0
    own = replace(size, layers=_most_owned(size.layers, processes))
    if recipe.estimator.joins_layers:
        size = own = replace(size, layers=(size.prunable,))
        joining = SINGLE * rows * size.prunable  # both while they are joined
    masks = size.prunable
    drawn = SINGLE * recipe.checks.bootstrap * own.prunable
    if drawn and not paged:  # a layer's rows once more
        drawn += SINGLE * rows * max(own.layers)
    scores = DOUBLE * size.prunable
    cutting = (SINGLE + 1) * size.prunable + max(_cutting(own, rows, block, paged))
    if recipe.estimator.order == "greedy":
        cutting = max(cutting, _eliminating(own, block))
    if paged:
        pages = max(_page(rows, n, block) for n in size.layers)
        fitted = scores  # the diagonal
        fitting = scores + pages
        gradients = masks
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


def samples(estimator: ObsEstimator, size: Extent) -> int:
    """Gradient rows that are taken: there may be too few images."""
    return min(estimator.samples, size.train if estimator.batch == 1 else 10**9)


def disk(size: Extent, estimator: ObsEstimator) -> int:
    """Bytes of all gradient rows."""
    return SINGLE * samples(estimator, size) * size.prunable


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
    held = most = SINGLE * rows * size.prunable
    for weights in size.layers:
        count, width = blocks_of(weights, block)
        slots = count * width
        aligned = SINGLE * rows * slots if slots != weights or count > 1 else 0
        rank = min(rows, width)
        inverse = count * rank * rank * DOUBLE + slots * (DOUBLE + INDEX)
        most = max(most, held + aligned + inverse + _work(count, rows, width))
        freed = SINGLE * rows * weights
        kept = (aligned or freed) if rows <= width else 0
        held += inverse + kept - freed
    return most, held


def _page(rows: int, weights: int, block: int) -> int:
    """Bytes of a page, its blocks side by side, and the work on them."""
    _, width = blocks_of(weights, block)
    step = min(weights, width * max(1, PAGE // (SINGLE * rows * width)))
    count = -(-step // width)
    rank = min(rows, width)
    aligned = SINGLE * rows * count * width if count > 1 else 0
    inverse = count * (rank * rank + width) * DOUBLE
    return SINGLE * rows * step + aligned + inverse + _work(count, rows, width)


def _cutting(size: Extent, rows: int, block: int, paged: bool) -> Iterator[int]:
    """Bytes per layer while it is corrected: vectors, and a page if there are pages."""
    for weights in size.layers:
        count, width = blocks_of(weights, block)
        page = _page(rows, weights, block) if paged else _work(count, rows, width)
        yield 6 * DOUBLE * weights + page


def _eliminating(size: Extent, block: int) -> int:
    """Bytes of dense inverses and what they are made from."""
    found = []
    for count, width in (blocks_of(weights, block) for weights in size.layers):
        inverse = DOUBLE * width**2
        found.append(4 * min(count * inverse, max(sweep.BUDGET, inverse)))
    return max(found)


def _work(count: int, rows: int, width: int) -> int:
    """Bytes of float64 panels, Gram matrices and their factors for a few blocks."""
    rank = min(rows, width)
    each = DOUBLE * (5 * rank * rank + 2 * rows * width)
    return min(count * each, max(WORK, 6 * DOUBLE * rank * rank))


def _gradients(
    model: nn.Module, names: tuple[str, ...], size: Extent, method: ObsEstimator
) -> int:
    """Bytes of one micro-batch, or of the trial before it if that is more."""
    found = [0]

    def served(net: nn.Module, images: Tensor) -> Ways:
        if method.batch >= LOOP_FROM:
            return Ways()
        return ways_of(net, {name: net.get_parameter(name) for name in names}, images)

    def one(net: nn.Module, images: Tensor) -> None:
        at_once = images_at_once(net, served(net, images), images)
        if method.batch >= LOOP_FROM:
            found[0] = min(at_once, method.batch)
        else:
            most = samples(method, size) * method.batch
            found[0] = min(rows_at_once(at_once, method.batch) * method.batch, most)

    def by_hooks(net: nn.Module, images: Tensor) -> None:
        _freeze(net)
        batched(net, served(net, images), images, _sum)

    def by_loop(net: nn.Module, images: Tensor) -> None:
        _freeze(net)
        looped(net, list(names), images, _sum)

    meter.peak(model, size.shape, PROBE, one)
    if method.batch >= LOOP_FROM:
        return meter.peak(model, size.shape, found[0], by_loop)
    kept = PROBE * SINGLE * size.prunable  # of the trial, while autograd repeats it
    trial = kept + meter.peak(model, size.shape, PROBE, by_loop)
    return max(trial, meter.peak(model, size.shape, found[0], by_hooks))


def _sum(outputs: Tensor) -> Tensor:
    return outputs.flatten(1).sum(1)


def _freeze(net: nn.Module) -> None:
    for weight in net.parameters():
        weight.requires_grad_(False)


def _forward(net: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        net(images)


def _train(net: nn.Module, images: Tensor) -> None:
    _sum(net(images)).sum().backward()
