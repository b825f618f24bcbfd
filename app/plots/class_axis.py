"""Class axis: names below bars, as many as there is room for."""

import pyqtgraph as pg

from app.plots.axes import Ticks

LONGEST = 12  # letters of a name; the table has all of it


class ClassAxis(pg.AxisItem):
    """Names at 0, 1, 2...; where they would touch, only every second and so on."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        super().__init__("bottom")

    def set_names(self, names: tuple[str, ...]) -> None:
        """Show these."""
        self._names = names
        self.picture = None
        self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        """The places of names that leave room for each other."""
        if not self._names:
            return []
        metrics = pg.QtGui.QFontMetrics(self.style["tickFont"] or self.font())
        shown = range(max(int(minVal), 0), min(int(maxVal) + 1, len(self._names)))
        widest = max(
            (metrics.horizontalAdvance(self._cut(i)) for i in shown), default=0
        )
        room = size / max(maxVal - minVal, 1e-9)
        every = max(1, -(-(widest + 6) // max(int(room), 1)))
        return [(float(every), [float(i) for i in shown if i % every == 0])]

    def tickStrings(
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """The names, long ones cut."""
        return [self._cut(int(value)) for value in values]

    def _cut(self, number: int) -> str:
        name = self._names[number] if 0 <= number < len(self._names) else ""
        if len(name) <= LONGEST:
            return name
        return name[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
