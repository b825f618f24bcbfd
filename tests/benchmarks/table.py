"""Table: aligned columns on standard output, each row as soon as it is known."""

from collections.abc import Iterable

WIDTH = 11  # of every column but the first


def show(title: str, columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Print a title, the names of the columns and the rows; the first names the row."""
    print(f"\n{title}", flush=True)
    first = 30
    print(f"  {columns[0]:<{first}}" + "".join(f"{c:>{WIDTH}}" for c in columns[1:]))
    for name, *values in rows:
        cells = "".join(f"{_text(value):>{WIDTH}}" for value in values)
        print(f"  {name:<{first}}{cells}", flush=True)


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"
