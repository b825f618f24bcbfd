"""Looks: colours, marks and lines that tell many things apart, one number each."""

from PySide6.QtCore import Qt

from app import palette

# Okabe and Ito's colours, which people with any colour vision tell apart, made darker
# or lighter where the background asks for it; the marks differ as well.
LIGHT = (
    "#0072b2", "#d55e00", "#00805d", "#b3508a", "#2c8fc4", "#8a6d00", "#1f2328",
)  # fmt: skip
DARK = (
    "#5aa9ff", "#ff8a47", "#3fcf9f", "#e79bc6", "#9fd8ff", "#e0c64a", "#e3e7ec",
)  # fmt: skip
MARKS = (
    ("o", "\N{BLACK CIRCLE}"),
    ("s", "\N{BLACK SQUARE}"),
    ("d", "\N{BLACK DIAMOND}"),
    ("t1", "\N{BLACK UP-POINTING TRIANGLE}"),
)
STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


def look(number: int) -> tuple[str, Qt.PenStyle, tuple[str, str]]:
    """Colour, line and mark (pyqtgraph's name, and as a character) of a thing."""
    colours = DARK if palette.is_dark() else LIGHT
    style = STYLES[number // len(colours) % len(STYLES)]
    return colours[number % len(colours)], style, MARKS[number % len(MARKS)]
