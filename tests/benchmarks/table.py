"""Table: aligned columns on standard output, each row as soon as it is known."""

from collections.abc import Iterable

WIDTH = 11  # at least, of every column but the first


def show(title: str, columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Print a title, the names of the columns and the rows; the first names the row."""
    print(f"\n{title}", flush=True)
    first = 30
    widths = [max(WIDTH, len(column) + 2) for column in columns[1:]]
    heads = zip(columns[1:], widths, strict=True)
    print(f"  {columns[0]:<{first}}" + "".join(f"{c:>{width}}" for c, width in heads))
    for name, *values in rows:
        pairs = zip(values, widths, strict=True)
        cells = "".join(f"{_text(value):>{width}}" for value, width in pairs)
        print(f"  {name:<{first}}{cells}", flush=True)


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"
