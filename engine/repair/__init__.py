"""Mending a pruned network without labels: layers first, then batch norm."""

from engine.repair.batch_norm import batch_norms, reestimate_batch_norm
from engine.repair.due import Repairs
from engine.repair.least_squares import LayerRepair
from engine.repair.undo import undone_on_failure

__all__ = [
    "LayerRepair",
    "Repairs",
    "batch_norms",
    "reestimate_batch_norm",
    "undone_on_failure",
]
