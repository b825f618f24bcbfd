"""Agreement: of two rankings of the same weights, and of two removed sets."""

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 (n,) float64; equals share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    rising = values[order]
    first = np.concatenate([[True], rising[1:] != rising[:-1]])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(values))
    found = np.empty(len(values))
    found[order] = np.repeat((starts + ends - 1) / 2, ends - starts)
    return found


def rank_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation of two arrays of `ranks`; 1 where all are equal in both.

    It is 0 where only one of them tells any apart.
    """
    if not len(first):
        return 1.0
    a, b = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    if not spread:
        return float(not (a.any() or b.any()))
    return float(a @ b) / spread


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Two removed sets (bool): intersection over union (Jaccard), 1 if both empty."""
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 1.0
