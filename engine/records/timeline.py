"""Timeline: the nodes of a run as its folder lists them, and runs that share some."""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.events import NodeKept
from engine.records import codec

NODES = "nodes"  # folder inside a run folder


@dataclass(frozen=True)
class Line:
    """A run and its nodes, in the order they were kept."""

    folder: Path
    nodes: tuple[NodeKept, ...]

    def shared(self, other: "Line") -> int:
        """How many nodes, from the first, both runs have in common."""
        pairs = zip(self.nodes, other.nodes, strict=False)
        apart = (i for i, (a, b) in enumerate(pairs) if a.state != b.state)
        return next(apart, min(len(self.nodes), len(other.nodes)))


def nodes_of(folder: str | Path) -> tuple[NodeKept, ...]:
    """The nodes of a run, by their numbers; none of a folder without a timeline.

    Raises:
        InputError: The list of them cannot be read.
    """
    paths = sorted(p for p in (Path(folder) / NODES).glob("*.json") if p.stem.isdigit())
    return tuple(_read(path) for path in paths)


def family_of(folder: str | Path) -> tuple[Line, ...]:
    """This run, then the runs beside it that share a node with it, by their names.

    A folder beside it that cannot be read is no part of the family.

    Raises:
        InputError: The list of this run's nodes cannot be read.
    """
    folder = Path(folder).absolute()
    own = Line(folder, nodes_of(folder))
    found = [own]
    for path in sorted(folder.parent.iterdir()) if own.nodes else ():
        if path == folder:
            continue
        try:
            first = path / NODES / node_file(0)
            if first.is_file() and _read(first).state == own.nodes[0].state:
                found.append(Line(path, nodes_of(path)))
        except (InputError, OSError):
            continue
    return tuple(found)


def node_file(number: int) -> str:
    """The name of a node's file."""
    return f"{number:06d}.json"


def _read(path: Path) -> NodeKept:
    try:
        node = codec.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, InputError) as error:
        raise InputError(
            f"Cannot read the node {path}.", "Remove it, or repeat the run."
        ) from error
    if not isinstance(node, NodeKept):
        raise InputError(f"{path} is not a node.", "Remove it, or repeat the run.")
    return node
