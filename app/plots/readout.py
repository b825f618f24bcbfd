"""Readout: the measured values nearest to the mouse, in words."""

import numpy as np

from app.records.curves import Record
from app.tables.units import SEPARATOR, accuracy, number


def readout(record: Record, axis: str, at: float) -> str:
    """What the run had measured at this epoch or second."""
    parts = [f"epoch {at:.2f}" if axis == "epoch" else f"{at:.1f} s"]
    for word, part in (
        ("train", record.training),
        ("val", record.validation),
        ("test", record.test),
    ):
        row = part.nearest(axis, at)
        if row is not None:
            text = f"{word} {number(row['loss'])}"
            if "accuracy" in row:
                text += f" / {accuracy(row['accuracy'])}"
            parts.append(text)
    xs = record.sparsity.column(axis)
    before = int(np.searchsorted(xs, at, side="right"))
    if before:
        level = record.sparsity.column("sparsity")[before - 1]
        parts.append(f"{level:.1f} % sparse")
    row = record.training.nearest(axis, at)
    if row is not None:
        parts.append(f"lr {number(row['learning_rate'])}")
    return SEPARATOR.join(parts)
