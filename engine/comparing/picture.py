"""Accuracy against sparsity as an SVG picture, a line per method with its spread."""

import math
from collections.abc import Iterable, Iterator, Mapping
from html import escape

from engine.comparing.cells import Group

WIDTH, HEIGHT = 640, 420  # of the plot
LEFT, TOP, BOTTOM = 64, 24, 56  # room for words around it
TITLE = 16  # room for the title of one panel among several
LETTER = 7.2  # pixels of a letter of the legend
# Okabe and Ito's colours, which people with any colour vision tell apart, the yellow
# darkened to be seen on white; marks and dashes tell them apart without colour too.
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00", "#000000",
)  # fmt: skip
DASHES = ("none", "7 3", "2 3")
DENSE_LINE = 'stroke-dasharray="5 4"'
MARKS = ("circle", "square", "diamond", "triangle")
Point = tuple[float, float]


def picture(panels: Mapping[str, Iterable[Group]], dense: float | None) -> str:
    """A whole SVG file: means, bars of one standard deviation, legend, labelled axes.

    Args:
        panels: Groups by title, drawn below each other on the same scales; those
            without a measured cell are left out, and a title without another.
        dense: Accuracy before pruning, in percent; a dashed line when known.
    """
    known = {title: [g for g in each if g.final] for title, each in panels.items()}
    known = {title: each for title, each in known.items() if each} or {"": []}
    frame = _Frame([group for each in known.values() for group in each], dense)
    head = TITLE if len(known) > 1 else 0
    drawn, high, longest = [], 0, len("dense")
    for title, groups in known.items():
        methods = list(dict.fromkeys(group.method for group in groups))
        longest = max(longest, *map(len, methods), 0)
        drawn.append(f'<g transform="translate(0 {high + head})">')
        if head:
            drawn.append(_text(LEFT, TOP - 14, title, "start", 16))
        drawn += [*_panel(groups, methods, frame, dense), "</g>"]
        high += head + max(TOP + HEIGHT + BOTTOM, TOP + 24 * (len(methods) + 2))
    wide = LEFT + WIDTH + 64 + int(LETTER * min(longest, 40))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" font-family="sans-serif" font-size="13">',
        "<title>Accuracy against sparsity</title>",
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
        *drawn,
    ]
    return "\n".join([*lines, "</svg>", ""])


def _panel(
    groups: list[Group], methods: list[str], frame: "_Frame", dense: float | None
) -> Iterator[str]:
    yield from frame.axes()
    yield from _legend(methods, dense)
    yield from _caption(groups)
    if dense is not None:
        y = frame.y(dense)
        yield _line((LEFT, y), (LEFT + WIDTH, y), "#555555", DENSE_LINE)
    for number, method in enumerate(methods):
        yield from _curve([g for g in groups if g.method == method], number, frame)


class _Frame:
    """Where numbers lie in the picture; both axes in percent."""

    def __init__(self, known: list[Group], dense: float | None) -> None:
        xs = [100 * group.sparsity for group in known] or [0.0, 100.0]
        ys = [dense] if dense is not None else []
        for group in known:
            spread = group.final.deviation or 0.0
            ys += [group.final.mean - spread, group.final.mean + spread]
        pad = max(0.04 * (max(xs) - min(xs)), 1.0)
        self.low_x, self.high_x = min(xs) - pad, max(xs) + pad
        low, high = (min(ys), max(ys)) if ys else (0.0, 100.0)
        pad = max(0.05 * (high - low), 0.5)
        self.low_y, self.high_y = max(low - pad, 0.0), min(high + pad, 100.0)

    def x(self, percent: float) -> float:
        return LEFT + WIDTH * (percent - self.low_x) / (self.high_x - self.low_x)

    def y(self, percent: float) -> float:
        share = (percent - self.low_y) / (self.high_y - self.low_y)
        return TOP + HEIGHT * (1 - min(max(share, 0.0), 1.0))

    def axes(self) -> Iterator[str]:
        bottom, right = TOP + HEIGHT, LEFT + WIDTH
        for tick in _ticks(self.low_y, self.high_y):
            y = self.y(tick)
            yield _line((LEFT, y), (right, y), "#dddddd")
            yield _text(LEFT - 8, y + 4, f"{tick:g}", "end")
        for tick in _ticks(self.low_x, self.high_x):
            x = self.x(tick)
            yield _line((x, TOP), (x, bottom), "#eeeeee")
            yield _text(x, bottom + 18, f"{tick:g}", "middle")
        yield _line((LEFT, bottom), (right, bottom), "#333333")
        yield _line((LEFT, TOP), (LEFT, bottom), "#333333")
        yield _text(right, bottom + 42, "Sparsity (%)", "end")
        middle = TOP + HEIGHT / 2
        yield (
            f'<text transform="translate(18 {middle:.1f}) rotate(-90)" '
            'text-anchor="middle" fill="#222222">Test accuracy (%)</text>'
        )


def _curve(groups: list[Group], number: int, frame: _Frame) -> Iterator[str]:
    colour, dash = _style(number)
    places = [(frame.x(100 * g.sparsity), frame.y(g.final.mean)) for g in groups]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dash}"/>'
    )
    for group, (x, y) in zip(groups, places, strict=True):
        spread = group.final.deviation
        if spread:
            high, low = (frame.y(group.final.mean + s * spread) for s in (1, -1))
            yield _line((x, high), (x, low), colour)
            for end in (high, low):
                yield _line((x - 4, end), (x + 4, end), colour)
        words = f"{group.method}, {100 * group.sparsity:g} %: {_value(group)}"
        yield _mark((x, y), number, f"<title>{escape(words)}</title>")


def _legend(methods: list[str], dense: float | None) -> Iterator[str]:
    x, y = LEFT + WIDTH + 16, TOP + 12
    for number, method in enumerate(methods):
        colour, dash = _style(number)
        look = f'stroke-width="2" stroke-dasharray="{dash}"'
        yield _line((x, y), (x + 28, y), colour, look)
        yield _mark((x + 14, y), number)
        shown = method if len(method) <= 40 else f"{method[:39]}\N{HORIZONTAL ELLIPSIS}"
        yield _text(x + 36, y + 4, shown, "start")
        y += 24
    if dense is not None:
        yield _line((x, y), (x + 28, y), "#555555", DENSE_LINE)
        yield _text(x + 36, y + 4, "dense", "start")


def _caption(known: list[Group]) -> Iterator[str]:
    if any(group.final.deviation for group in known):
        words = "Bars: one standard deviation over the seeds, up and down"
        yield _text(LEFT, TOP + HEIGHT + 42, words, "start", 11)


def _style(number: int) -> tuple[str, str]:
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    return COLOURS[number % len(COLOURS)], dash


def _mark(at: Point, number: int, inside: str = "") -> str:
    colour, _ = _style(number)
    kind, (x, y) = MARKS[number % len(MARKS)], at
    if kind == "circle":
        shape = f'circle cx="{x:.1f}" cy="{y:.1f}" r="4"'
        return f'<{shape} fill="{colour}">{inside}</circle>'
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
    }[kind]
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{path}" fill="{colour}">{inside}</polygon>'


def _line(start: Point, end: Point, colour: str, more: str = "") -> str:
    (x1, y1), (x2, y2) = start, end
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" {more}/>'


def _text(x: float, y: float, words: str, anchor: str, size: int = 13) -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {at} fill="#222222">{escape(words)}</text>'


def _value(group: Group) -> str:
    spread = group.final.deviation
    more = "" if spread is None else f" \N{PLUS-MINUS SIGN} {spread:.2f}"
    return f"{group.final.mean:.2f}{more} %"


def _ticks(low: float, high: float) -> list[float]:
    """About six round numbers between the two."""
    rough = (high - low) / 6
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]
