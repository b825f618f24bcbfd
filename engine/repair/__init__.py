"""Mending a pruned network without labels: layers, the whole, batch norm."""

from engine.repair.batch_norm import batch_norms, reestimate_batch_norm
from engine.repair.distillation import Distillation
from engine.repair.due import Repairs
from engine.repair.least_squares import LayerRepair
from engine.repair.undo import undone_on_failure

__all__ = [
    "Distillation",
    "LayerRepair",
    "Repairs",
    "batch_norms",
    "reestimate_batch_norm",
    "undone_on_failure",
]
