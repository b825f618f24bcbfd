"""Nodes of the run on show, gathered from its events, and the prunes to come."""

from collections.abc import Iterable

from app.tables.units import SEPARATOR, accuracy, number, percent, stored
from engine.events import Event, LevelsPlanned, NodeKept, Pruned, RunFinished
from engine.records.timeline import Line

COLUMNS = (
    "run", "node", "after", "prunes", "epochs", "sparsity", "accuracy", "loss",
    "split", "bytes",
)  # fmt: skip
Spot = tuple[int, int]  # line, from the run on show, and number of the node
WORDS = {"dense": "The dense network", "repair": "The repair", "end": "The end"}
NAMED = 30  # letters of a folder's name that are shown
NEAR = 1e-3  # of the weights: a prune that is planned this close has been done


class Nodes:
    """In order; a resumed run may repeat some, which replace what stood there."""

    def __init__(self) -> None:
        self.all: tuple[NodeKept, ...] = ()
        self._planned = LevelsPlanned((), (), 0)
        self._steps = 0
        self._ended = False

    def add(self, events: Iterable[Event]) -> bool:
        """Take what concerns nodes; whether there was anything."""
        known = self.all, self._planned, self._ended
        for event in events:
            if isinstance(event, NodeKept):
                before = (node for node in self.all if node.node < event.node)
                self.all = (*before, event)
                self._ended = False
            elif isinstance(event, Pruned):
                self._steps = event.steps
            elif isinstance(event, LevelsPlanned):
                self._planned, self._ended = event, False
            elif isinstance(event, RunFinished):
                self._ended = True
        return known != (self.all, self._planned, self._ended)

    @property
    def ahead(self) -> tuple[float, ...]:
        """The sparsities of the prunes that are planned and not done."""
        if self._ended or not self.all or self._planned.of != "weights":
            return ()
        now = self.all[-1].sparsity + NEAR
        return tuple(each for each in self._planned.sparsities if each > now)

    def title(self, node: NodeKept) -> str:
        """`Prune 3 of 8`."""
        if node.kind == "prune":
            known = self._steps >= node.step
            return f"Prune {node.step}" + (f" of {self._steps}" if known else "")
        if node.kind == "epoch":
            total = self._planned.total_epochs
            known = total >= node.epoch
            return f"Epoch {node.epoch}" + (f" of {total}" if known else "")
        return WORDS[node.kind]

    def words(self, node: NodeKept) -> str:
        """What there is to say of a node, in a line."""
        parts = [self.title(node), f"{percent(node.sparsity)} sparse"]
        if node.accuracy is None:
            parts.append("not measured")
        else:
            loss = f", loss {number(node.loss)}" if node.loss is not None else ""
            parts.append(f"{node.split} accuracy {accuracy(node.accuracy)}{loss}")
        parts.append(stored(node.size))
        return SEPARATOR.join(parts)


def origins(lines: tuple[Line, ...]) -> list[Spot]:
    """The line that each one parts from, and the last node they share; -1 is none."""
    found = []
    for at, line in enumerate(lines):
        shared = [line.shared(other) for other in lines[:at]]
        most = max(shared, default=0)
        found.append(
            (shared.index(most), line.nodes[most - 1].node) if most else (0, -1)
        )
    return found


def mark(node: NodeKept) -> str:
    """A node in a word as short as an axis needs it."""
    if node.kind == "prune":
        return f"P{node.step}"
    return f"E{node.epoch}" if node.kind == "epoch" else node.kind


def shortened(name: str) -> str:
    """The end of a folder's name, where names differ."""
    return name if len(name) <= NAMED else f"…{name[1 - NAMED :]}"


def row(run: str, node: NodeKept) -> tuple:
    """A node under `COLUMNS`; what is not known is an empty string."""
    measured = ("" if each is None else each for each in (node.accuracy, node.loss))
    return (
        run, node.node, node.kind, node.step, node.epoch, node.sparsity, *measured,
        node.split, node.size,
    )  # fmt: skip
