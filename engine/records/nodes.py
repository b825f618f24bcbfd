"""Nodes: moments of a run that can be branched from, kept beside what resume needs."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.events import NodeKept
from engine.records import codec
from engine.records.objects import Objects, link, names_in
from engine.records.timeline import NODES, OBJECTS, node_file, nodes_of
from engine.records.whole import write


def keep(folder: Path, node: NodeKept, state: dict[str, Any]) -> NodeKept:
    """Write a node; it is there when its list entry is, which comes last.

    Args:
        folder: Of the run.
        node: What there is to say of the moment.
        state: As `Job.state_dict` has it; the optimiser is left out, and what an
            estimator learned where that is larger than the network (None then).

    Returns:
        The node with its size and the name of its state.

    Raises:
        OSError: It cannot be written.
    """
    objects = Objects(folder / OBJECTS)
    packed = objects.pack(_lasting(state), state["masks"])
    name = objects.put(json.dumps(packed, separators=(",", ":")).encode())
    node = replace(node, state=name, size=objects.written)
    (folder / NODES).mkdir(exist_ok=True)
    write(folder / NODES / node_file(node.node), codec.to_json(node).encode())
    return node


def load(folder: str | Path, number: int) -> dict[str, Any]:
    """The state of a node.

    Raises:
        InputError: There is no such node, or a part of it is missing or damaged.
    """
    node, objects = node_of(folder, number), Objects(Path(folder) / OBJECTS)
    return objects.unpack(json.loads(objects.get(node.state)))


def node_of(folder: str | Path, number: int) -> NodeKept:
    """A node by its number.

    Raises:
        InputError: There is no such node.
    """
    nodes = nodes_of(folder)
    found = next((node for node in nodes if node.node == number), None)
    if found is not None:
        return found
    if not nodes:
        raise InputError(
            f"{folder} has no timeline.",
            "Set machine.timeline to prunes or everything, and repeat the run.",
        )
    raise InputError(
        f"{folder} has no node {number}.",
        f"Choose one of {', '.join(str(node.node) for node in nodes)}.",
    )


def share(parent: Path, number: int, folder: Path) -> int:
    """Give a branch the nodes of its parent up to this one; the bytes copied.

    Raises:
        InputError: A part of them is missing or damaged.
        OSError: They cannot be written.
    """
    theirs, own = Objects(parent / OBJECTS), Objects(folder / OBJECTS)
    (folder / NODES).mkdir(exist_ok=True)
    copied = 0
    for node in nodes_of(parent):
        if node.node <= number:
            for name in (node.state, *names_in(json.loads(theirs.get(node.state)))):
                copied += own.link(theirs, name)
            file = node_file(node.node)
            copied += link(parent / NODES / file, folder / NODES / file)
    return copied


def drop(folder: Path, nodes: Iterable[NodeKept]) -> None:
    """Forget nodes that a run which began again earlier will come to anew."""
    for node in nodes:
        (folder / NODES / node_file(node.node)).unlink(missing_ok=True)


def _lasting(state: dict[str, Any]) -> dict[str, Any]:
    tuning = {k: v for k, v in state["finetuner"].items() if k != "optimizer"}
    network = sum(tensor.nbytes for tensor in state["model"].values())
    facts = (each for layer in state["learned"].values() for each in layer.values())
    small = sum(tensor.nbytes for tensor in facts) <= network
    learned = state["learned"] if small else None
    return state | {"finetuner": tuning, "learned": learned}
