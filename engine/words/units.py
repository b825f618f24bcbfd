"""Numbers as people read them: 270.9 k weights, 80.0 %, 1:05, 312 MB, 1 seed."""

import math

_MINUS = "\N{MINUS SIGN}"
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


def percent(fraction: float, digits: int = 1) -> str:
    """`80.0 %`; never `100.0 %` or `0.0 %` for something that is not."""
    if math.isnan(fraction):
        return "unknown"
    least = 10.0**-digits
    if 0 < 100 * fraction < least / 2:
        return f"<{least:.{digits}f} %"
    if 100 - least / 2 <= 100 * fraction < 100:
        return f">{100 - least:.{digits}f} %"
    return f"{100 * fraction:.{digits}f} %"


def accuracy(value: float) -> str:
    """`88.22 %`, given percent."""
    return "unknown" if math.isnan(value) else f"{value:.2f} %"


def number(value: float) -> str:
    """Four significant digits, `0.0123` or `1.2e-07`, with a true minus sign."""
    return f"{value:.4g}".replace("-", _MINUS)


def clock(seconds: float) -> str:
    """`0:07`, `12:30` or `1:02:03`."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def memory(size: int) -> str:
    """`312 MB` or `1.4 GB`, powers of 1024 as system monitors count."""
    if size < 1024**3:
        return f"{size / 1024**2:.0f} MB"
    return f"{size / 1024**3:.1f} GB"


def many(number: int, one: str, more: str = "") -> str:
    """`1 seed`, `2,000 seeds`; `more` is the plural where it is not `one` with s."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
