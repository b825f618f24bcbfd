"""Nodes of a timeline in words."""

from engine.events import NodeKept


def moment(node: NodeKept) -> str:
    """What a node comes after: `the dense network`, `prune 3`, `epoch 2`."""
    match node.kind:
        case "dense":
            return "dense network"
        case "prune":
            return f"prune {node.step}"
        case "epoch":
            return f"epoch {node.epoch}"
        case "repair":
            return "repair at the end"
    return "end"
