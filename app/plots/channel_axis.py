"""Channel axis: numbers of channels beside rows and columns of weights."""

from app.plots.axes import NumberAxis, Ticks

ROOM = 36  # pixels of a number
STEPS = (1, 2, 5)


class ChannelAxis(NumberAxis):
    """Counts channels from 0, each in the middle of its rows or columns."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self._each, self._gap = 1, 0

    def set_channels(self, each: int, gap: int) -> None:
        """So many rows belong to a channel, the last few of them empty."""
        self._each, self._gap = each, gap
        self.picture = None
        self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """Every one, or every second, fifth, tenth..."""
        low, high = sorted((minVal, maxVal))
        room = (high - low) / self._each * ROOM / max(size, 1)
        every = next(
            step * 10**power
            for power in range(12)
            for step in STEPS
            if step * 10**power >= room or power == 11
        )
        first = -(-max(int(low / self._each), 0) // every) * every
        middle = (self._each - self._gap) / 2
        count = int(high / self._each) + 1
        places = (number * self._each + middle for number in range(first, count, every))
        return [(float(every), [float(place) for place in places])]

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """The number of the channel."""
        return [str(int(value // self._each)) for value in values]
