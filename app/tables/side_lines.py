"""Side lines: settings that differ and sparsities by layer, as rows of a grid."""

from collections.abc import Sequence

from app.records.differences import differences, help_of
from app.records.runs import Entry
from app.tables.grid import Line
from app.tables.units import percent, short


def setting_lines(entries: Sequence[Entry]) -> list[Line]:
    """A row for each setting that is not the same in all of these recipes."""
    found = differences([entry.digest.recipe for entry in entries])
    return [
        Line(key, key, f"{key}\n{help_of(key)}".strip(), tuple(values))
        for key, values in found
    ]


def layer_lines(entries: Sequence[Entry]) -> list[Line]:
    """A row for each layer; empty where a run does not prune it."""
    shares = [{e.name: e.sparsity for e in run.digest.layers} for run in entries]
    fullest = sorted(shares, key=len, reverse=True)  # has the order of the network
    lines = []
    for name in dict.fromkeys(name for each in fullest for name in each):
        found = tuple(each.get(name) for each in shares)
        cells = tuple("" if share is None else percent(share) for share in found)
        lines.append(Line(name, short(name), name, cells, found))
    return lines
