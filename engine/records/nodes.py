"""Nodes: moments of a run that can be branched from, kept beside what resume needs."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.events import NodeKept
from engine.records import codec
from engine.records.packs import Packs
from engine.records.timeline import NODES, node_file, nodes_of
from engine.records.whole import write


def packs_of(folder: str | Path, nodes: Iterable[NodeKept]) -> Packs:
    """What these nodes of a run have kept."""
    return Packs(_pack(Path(folder), node.node) for node in nodes)


def keep(folder: Path, node: NodeKept, state: dict[str, Any], packs: Packs) -> NodeKept:
    """Write a node: a pack of what is new, then the entry that makes it a node.

    Args:
        folder: Of the run.
        node: What there is to say of the moment.
        state: As `Job.state_dict` has it; the optimiser is left out, and what an
            estimator learned where that is larger than the network (None then).
        packs: Of the nodes before.

    Returns:
        The node with its size and the name of its state.

    Raises:
        OSError: It cannot be written.
    """
    packed = packs.pack(_lasting(state), state["masks"])
    name = packs.put(json.dumps(packed, separators=(",", ":")).encode())
    (folder / NODES).mkdir(exist_ok=True)
    node = replace(node, state=name, size=packs.write(_pack(folder, node.node)))
    write(folder / NODES / node_file(node.node), codec.to_json(node).encode())
    return node


def load(folder: str | Path, number: int) -> dict[str, Any]:
    """The state of a node.

    Raises:
        InputError: There is no such node, or a part of it is missing or damaged.
    """
    node = node_of(folder, number)
    packs = packs_of(folder, (n for n in nodes_of(folder) if n.node <= number))
    return packs.unpack(json.loads(packs.get(node.state)))


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

    Both folders name the same files where the file system allows it, so either may be
    deleted without harm to the other.

    Raises:
        InputError: A part of them is missing.
        OSError: They cannot be written.
    """
    (folder / NODES).mkdir(exist_ok=True)
    shared = (node.node for node in nodes_of(parent) if node.node <= number)
    copied = 0
    for each in shared:
        copied += _link(_pack(parent, each), _pack(folder, each))
        file = node_file(each)
        copied += _link(parent / NODES / file, folder / NODES / file)
    return copied


def drop(folder: Path, nodes: Iterable[NodeKept]) -> None:
    """Forget the last nodes, which a run that began again earlier comes to anew."""
    for node in nodes:
        (folder / NODES / node_file(node.node)).unlink(missing_ok=True)
        _pack(folder, node.node).unlink(missing_ok=True)


def _pack(folder: Path, number: int) -> Path:
    return (folder / NODES / node_file(number)).with_suffix(".pack")


def _link(source: Path, target: Path) -> int:
    """Give a file a second name, or copy it; the bytes that had to be copied."""
    try:
        os.link(source, target)
        return 0
    except FileNotFoundError as error:
        raise InputError(
            f"A part of the timeline is missing: {source}.",
            "Choose an earlier node, or repeat the run.",
        ) from error
    except OSError:  # another disk, or a file system without such names
        shutil.copyfile(source, target)
        return target.stat().st_size


def _lasting(state: dict[str, Any]) -> dict[str, Any]:
    tuning = {k: v for k, v in state["finetuner"].items() if k != "optimizer"}
    network = sum(tensor.nbytes for tensor in state["model"].values())
    facts = (each for layer in state["learned"].values() for each in layer.values())
    small = sum(tensor.nbytes for tensor in facts) <= network
    learned = state["learned"] if small else None
    return state | {"finetuner": tuning, "learned": learned}
