"""Axes: tick positions and words that pyqtgraph does not have."""

import math
from collections.abc import Callable

import pyqtgraph as pg

from app.tables.units import count, number, power_of_ten

_STEPS = (1, 2, 5)
Ticks = list[tuple[float, list[float]]]


class NumberAxis(pg.AxisItem):
    """Plain numbers, `0.0001` rather than a factor on the label."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Four digits at most."""
        return [number(value) for value in values]


class WordsAxis(NumberAxis):
    """Numbers in the words of `words`, which may be set anew."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.words: Callable[[float], str] = number

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """As they are worded."""
        return [self.words(value) for value in values]


class ProgressAxis(NumberAxis):
    """Epochs or seconds: there are none before zero."""

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Nothing below zero."""
        return [number(value) if value > -1e-9 else "" for value in values]


class PercentAxis(NumberAxis):
    """0 to 100 in quarters, with as many words as fit."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """Quarters, or pyqtgraph's own ticks once someone has zoomed in."""
        if maxVal - minVal < 60:
            return super().tickValues(minVal, maxVal, size)
        return [(50, [0.0, 50.0, 100.0]), (25, [25.0, 75.0])]


class PowerAxis(pg.AxisItem):
    """Ticks of a log10 axis: `10⁻⁵`, with 2 and 5 between when there is room."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """Decades, thinned until they fit; 2 and 5 where there are fewer than three."""
        span = maxVal - minVal
        every = max(1, math.ceil(span / max(size / 55, 1)))
        low, high = math.ceil(minVal), math.floor(maxVal)
        decades = [float(d) for d in range(low, high + 1) if d % every == 0]
        if len(decades) >= 3 or every > 1:
            return [(every, decades)]
        between = [
            power + math.log10(step)
            for power in range(math.floor(minVal), high + 1)
            for step in _STEPS
        ]
        ticks = [value for value in between if minVal <= value <= maxVal]
        if len(ticks) >= 2:
            return [(0.3, ticks)]
        return super().tickValues(minVal, maxVal, size)

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Each tick as a power of ten."""
        return [power_of_ten(value) for value in values]


class CountAxis(PowerAxis):
    """Weights per bin, with k and M; on a log10 scale when `log` is set."""

    log = True

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """Decades on the log scale, pyqtgraph's own ticks on the linear one."""
        if self.log:
            return super().tickValues(max(minVal, 0.0), maxVal, 2 * size)
        return pg.AxisItem.tickValues(self, minVal, maxVal, size)

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """`500`, `20 k`."""
        plain = [10**value for value in values] if self.log else values
        return [count(round(value)) for value in plain]


class WholeAxis(NumberAxis):
    """Numbers of things counted from 1: whole ones, as many as fit."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """Every one, or every second, fifth, tenth..."""
        room = (maxVal - minVal) * 36 / max(size, 1)
        every = next(
            step * 10**power
            for power in range(12)
            for step in _STEPS
            if step * 10**power >= room or power == 11
        )
        first = max(math.ceil(minVal / every), 1)
        last = math.floor(maxVal / every)
        return [(every, [float(every * i) for i in range(first, last + 1)])]


class RatioAxis(PowerAxis):
    """Factors on a log10 axis, with a multiplication sign behind them."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """1, 2 and 5 of every decade where there is room, else decades that fit."""
        line = 17 * (maxVal - minVal) / max(size, 1)  # height of a label
        low, high = math.floor(minVal), math.ceil(maxVal)
        if line <= math.log10(2):
            every, steps = 1, _STEPS
        else:
            every, steps = math.ceil(line), (1,)
        ticks = [
            power + math.log10(step)
            for power in range(low, high + 1)
            for step in steps
            if power % every == 0
        ]
        return [(every, [value for value in ticks if minVal <= value <= maxVal])]

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Each tick as a factor."""
        return [f"{10**value:.3g}\N{MULTIPLICATION SIGN}" for value in values]


class DecadeAxis(RatioAxis):
    """Powers of ten as a low plot has room for."""

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Each tick as a power of ten."""
        return [power_of_ten(value) for value in values]
