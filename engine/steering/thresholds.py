"""One threshold for sorted saliencies: the lowest of all layers, found by bisection."""

from collections.abc import Mapping

import numpy as np

from engine.steering.ranking import LayerRanking

Counts = dict[str, int]


def lowest(
    layers: Mapping[str, LayerRanking],
    scores: Mapping[str, np.ndarray],
    low: Counts,
    high: Counts,
    goal: float,
    price: Mapping[str, float],
    nearest: bool,
) -> tuple[Counts, float | None]:
    """Units of each layer, all below one threshold, that together cost the goal.

    They come nearest to it, the fewer of two, or are the fewest that reach it. Equals
    go in the order of the layers. 64 look-ups per layer: the bits of a float64 are
    bisected, so the threshold is exact.

    Args:
        layers: Sizes of the units.
        scores: Saliencies to compare (units,), rising.
        low: Units of each layer that go in any case, counted in the goal.
        high: Most units of each layer.
        goal: What shall go.
        price: Of a weight of each layer.
        nearest: Rather than at least the goal.

    Returns:
        The units, and the highest saliency that goes; None where none is needed.
    """

    def at(value: float, side: str) -> Counts:
        found = {n: int(np.searchsorted(s, value, side)) for n, s in scores.items()}
        return {n: min(max(found[n], low[n]), high[n]) for n in scores}

    def cost(units: Counts) -> float:
        return sum(price[n] * layers[n].weights(k) for n, k in units.items())

    ends = [each[[0, -1]] for each in scores.values() if len(each)]
    if not ends or cost(low) >= goal:
        return dict(low), None
    first, last = _key(min(e[0] for e in ends)), _key(max(e[1] for e in ends))
    while first < last:
        middle = (first + last) // 2
        if cost(at(_value(middle), "right")) >= goal:
            last = middle
        else:
            first = middle + 1
    cut = _value(first)
    units, ties = at(cut, "left"), at(cut, "right")
    missing = goal - cost(units)
    for name, each in layers.items():
        steps = price[name] * each.steps(units[name], ties[name])
        reach = int(np.searchsorted(steps, missing))
        if reach < len(steps):
            short = missing - steps[max(reach - 1, 0)]
            units[name] += reach - int(nearest and short <= steps[reach] - missing)
            break
        units[name], missing = ties[name], missing - steps[-1]
    return units, cut


def _key(value: float) -> int:
    """Whole numbers in the order of the floats."""
    bits = int(np.float64(value + 0.0).view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _value(key: int) -> float:
    """The float of such a number."""
    magnitude = float(np.int64(abs(key)).view(np.float64))
    return magnitude if key >= 0 else -magnitude
