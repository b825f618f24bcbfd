"""Sensitivity, measured: what images say when one layer at a time is cut."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from engine.errors import InputError
from engine.evaluate import Measure
from engine.events import Event
from engine.looking.bench import Bench
from engine.looking.look import look
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.steering.events import LayerMeasured
from engine.steering.ranking import LayerRanking
from engine.steering.study import Study
from engine.words.units import exact, many

IMAGES = 512  # of a mini-batch
SPARSITIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


def measure_sensitivity(
    recipe: Recipe,
    study: Study,
    layers: Iterable[str] = (),
    sparsities: Iterable[float] = SPARSITIES,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> tuple[LayerMeasured, ...] | None:
    """Cut each layer alone to several sparsities and measure; see `look`.

    Each layer is told by an event as soon as it is done, so what was measured before a
    stop is not lost. The same images serve all cuts, and only differences from the
    uncut network are told. A pass per layer and sparsity.

    Args:
        recipe: With which it was scored.
        study: The scored network, and which of its weights go first.
        layers: Full parameter names; none means all that were scored.
        sparsities: Of a layer; those that its units or its zeros do not allow are
            replaced by the nearest that they do.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        A measurement per layer, or None when it was stopped.

    Raises:
        InputError: A layer was not scored.
        EngineError: The recipe cannot run; after `LookEnded`.
    """
    known = study.ranking.layers
    names = tuple(layers) or tuple(known)
    for name in names:
        if name not in known:
            raise InputError(f"{name} was not scored.", "Choose a layer that was.")
    cuts = {name: _cuts(known[name], sparsities) for name in names}

    def work(monitor: Monitor) -> tuple[tuple[LayerMeasured, ...], str]:
        with monitor.phase("load"):
            bench = Bench(recipe, study, trust, monitor)
        images = bench.draw(IMAGES)
        found = []
        with monitor.phase("evaluate"):
            passes = 1 + sum(len(each) for each in cuts.values())
            progress = monitor.progress("Measuring layers", passes * len(images))
            dense = bench.results(images, progress)
            for name, units in cuts.items():
                cut = []
                for count in units:
                    bench.cut({name: count})
                    cut.append(bench.results(images, progress))
                told = _told(known[name], units, cut, dense, bench.source)
                found.append(monitor.emit(told))
        return tuple(found), (
            f"Measured {many(len(found), 'layer')} on {exact(len(images))} "
            f"{bench.source} images; nothing was pruned."
        )

    return look("Measuring sensitivity", recipe, work, emit, control)


def _cuts(layer: LayerRanking, sparsities: Iterable[float]) -> tuple[int, ...]:
    """Units that make these sparsities, rising, without none at all."""
    goals = (round(share * layer.size) - layer.zeros for share in sparsities)
    wanted = {layer.nearest(goal) for goal in goals}
    return tuple(sorted(wanted - {0})) or (layer.most,)


def _told(
    layer: LayerRanking,
    units: tuple[int, ...],
    cut: list[Tensor],
    dense: Tensor,
    source: str,
) -> LayerMeasured:
    """In numbers; losses are compared image by image."""
    rises = torch.stack([each[:, 0] - dense[:, 0] for each in cut])
    count = len(dense)
    errors = rises.std(1) / count**0.5 if count > 1 else torch.zeros(len(cut))
    return LayerMeasured(
        layer.name,
        units,
        tuple((layer.zeros + layer.weights(k)) / layer.size for k in units),
        tuple(rises.mean(1).tolist()),
        tuple(errors.tolist()),
        tuple(Measure.of(each).accuracy for each in cut),
        Measure.of(dense).accuracy,
        count,
        source,
    )
