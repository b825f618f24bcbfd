"""Prunes: what each prune of a run did to each layer, gathered from its events."""

import math
from collections.abc import Iterator

from app.plots.multiples import Multiples
from app.tables.units import SEPARATOR, count, percent, power_of_ten, short
from engine.events import Event, Histogram, Pruned, Scored


class Prunes:
    """Histograms and results by step, from 1."""

    def __init__(self) -> None:
        self._scored: dict[int, dict[str, Histogram]] = {}
        self._pruned: dict[int, Pruned] = {}

    def add(self, events: list[Event]) -> bool:
        """Take what concerns prunes; whether there was anything."""
        known = len(self._scored), len(self._pruned)
        for event in events:
            if isinstance(event, Scored):
                self._scored[event.step] = {layer.name: layer for layer in event.layers}
            elif isinstance(event, Pruned):
                self._pruned[event.step] = event
        return known != (len(self._scored), len(self._pruned))

    def clear(self) -> None:
        """Another run."""
        self._scored.clear()
        self._pruned.clear()

    @property
    def steps(self) -> list[int]:
        """Those that are known."""
        return sorted(self._scored)

    def layers(self, step: int | None) -> dict[str, Histogram]:
        """The layers of a step, by name."""
        return self._scored.get(step, {})

    def multiples(self, step: int | None) -> Multiples:
        """All layers of a step; what a prune came to is known a moment after it."""
        layers, states = self.layers(step), self._states(step)
        reached = (states.get(name, math.nan) for name in layers)
        return Multiples(tuple(layers.values()), tuple(reached))

    def words(self, step: int | None, shown: Histogram) -> str:
        """What a step did to a layer."""
        parts = [
            short(shown.name),  # the box above may be too narrow for it
            f"{count(sum(shown.live))} kept",
            f"{count(sum(shown.removed))} removed now",
            f"{count(shown.gone)} removed before",
            f"{count(shown.below)} with zero or negative saliency",
        ]
        if shown.cut is not None and math.isfinite(shown.cut):
            parts.append(f"threshold {power_of_ten(shown.cut)}")
        states = self._states(step)
        if shown.name in states:
            level, whole = percent(states[shown.name]), self._pruned[step].sparsity
            parts.append(f"layer {level}, overall {percent(whole)} sparse")
        return SEPARATOR.join(parts)

    def _states(self, step: int | None) -> dict[str, float]:
        pruned = self._pruned.get(step)
        return {layer.name: layer.sparsity for layer in pruned.layers} if pruned else {}


def bins(layer: Histogram) -> Iterator[tuple[str, float, float, int, int]]:
    """Name, lower and upper log10, kept and removed weights of each bin."""
    width = (layer.high - layer.low) / len(layer.live)
    for i, (live, removed) in enumerate(zip(layer.live, layer.removed, strict=True)):
        at = layer.low + width * i
        yield layer.name, at, at + width, live, removed
