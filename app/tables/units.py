"""Numbers as people read them: 270.9 k weights, 80.0 %, 1:05, 312 MB."""

import math

_MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_POWERS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(number: int) -> str:
    """`999`, `270.9 k`, `41 M`: three to four digits and a power of a thousand."""
    for power, letter in _POWERS:
        if abs(number) >= power * 0.99995:
            scaled = number / power
            digits = 1 if abs(scaled) < 999.95 else 0
            return f"{scaled:.{digits}f}".removesuffix(".0") + f" {letter}"
    return str(number)


def exact(number: int) -> str:
    """`270,896`: every digit, grouped."""
    return f"{number:,}"


def percent(fraction: float) -> str:
    """`80.0 %`; never `100.0 %` or `0.0 %` for something that is not."""
    if math.isnan(fraction):
        return "unknown"
    if 0 < fraction < 0.0005:
        return "<0.1 %"
    if 0.9995 <= fraction < 1:
        return ">99.9 %"
    return f"{100 * fraction:.1f} %"


def accuracy(value: float) -> str:
    """`88.22 %`, given percent."""
    return "unknown" if math.isnan(value) else f"{value:.2f} %"


def number(value: float) -> str:
    """Four significant digits, `0.0123` or `1.2e-07`, with a true minus sign."""
    return f"{value:.4g}".replace("-", _MINUS)


def power_of_ten(log10: float) -> str:
    """`10⁻⁵`, or 2 of them between decades."""
    exponent = math.floor(log10)
    factor = round(10 ** (log10 - exponent), 1)
    if factor >= 10:
        exponent, factor = exponent + 1, 1.0
    ten = "10" + str(exponent).translate(_SUPERSCRIPT)
    return ten if factor == 1 else f"{factor:g}\N{MULTIPLICATION SIGN}{ten}"


def clock(seconds: float) -> str:
    """`0:07`, `12:30` or `1:02:03`."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


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


def memory(size: int) -> str:
    """`312 MB` or `1.4 GB`, powers of 1024 as system monitors count."""
    if size < 1024**3:
        return f"{size / 1024**2:.0f} MB"
    return f"{size / 1024**3:.1f} GB"


def shape(sizes: tuple[int, ...]) -> str:
    """`16 x 3 x 3 x 3` with true multiplication signs."""
    return "\N{MULTIPLICATION SIGN}".join(str(size) for size in sizes)


def short(name: str) -> str:
    """A layer's name without the `.weight` that all of them share."""
    return name.removesuffix(".weight") or name
