"""Numbers as people read them: the engine's, and those only pictures show."""

import math

from engine.words.units import (
    accuracy,
    clock,
    count,
    exact,
    many,
    memory,
    number,
    percent,
)

__all__ = [
    "MEASURED",
    "PREDICTED",
    "SEPARATOR",
    "SURE",
    "accuracy",
    "clock",
    "count",
    "exact",
    "left",
    "many",
    "memory",
    "number",
    "percent",
    "power_of_ten",
    "rough",
    "shape",
    "short",
    "signed",
    "stored",
]

PREDICTED, MEASURED = "\N{WHITE CIRCLE}", "\N{BLACK CIRCLE}"  # before a number
SEPARATOR = "  \N{MIDDLE DOT}  "  # between what stands in one line
SURE = 2.0  # standard errors within which a difference may be chance

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def rough(value: float) -> str:
    """Two significant digits, `0.012` or `1.2e-07`, with a true minus sign."""
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """`rough` with its sign: `+0.012` or a true minus; zero has none."""
    return ("+" if value > 0 else "") + rough(value or 0.0)  # no minus zero


def power_of_ten(log10: float) -> str:
    """`10⁻⁵`, or 2 of them between decades."""
    exponent = math.floor(log10)
    factor = round(10 ** (log10 - exponent), 1)
    if factor >= 10:
        exponent, factor = exponent + 1, 1.0
    ten = "10" + str(exponent).translate(_SUPERSCRIPT)
    return ten if factor == 1 else f"{factor:g}\N{MULTIPLICATION SIGN}{ten}"


def left(seconds: float) -> str:
    """`about 2 min left`; empty while unknown (negative)."""
    if not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 5:
        return "a few seconds left"
    if seconds < 60:
        return f"about {5 * round(seconds / 5)} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left".replace(".0 h", " h")


def stored(size: int) -> str:
    """`268 kB` or `1.4 MB`, powers of 1000 as file sizes are given."""
    for power, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= 0.9995 * power:
            return f"{size / power:.3g} {unit}"
    return f"{size} bytes"


def shape(sizes: tuple[int, ...]) -> str:
    """`16 x 3 x 3 x 3` with true multiplication signs."""
    return "\N{MULTIPLICATION SIGN}".join(str(size) for size in sizes)


def short(name: str) -> str:
    """A layer's name without the `.weight` that all of them share."""
    return name.removesuffix(".weight") or name
