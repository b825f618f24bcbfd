"""Saliencies counted for the eye: one histogram per layer on a log10 axis."""

import torch
from torch import Tensor

from engine.events import Histogram
from engine.masks import Masks

BINS = 80


def histograms(
    scores: dict[str, Tensor],
    before: Masks,
    after: Masks,
    thresholds: dict[str, float | None],
) -> tuple[Histogram, ...]:
    """Saliencies of the weights alive in `before`, split by who stays in `after`."""
    return tuple(
        _histogram(name, scores[name], before[name], after[name], thresholds.get(name))
        for name in scores
    )


def _histogram(
    name: str, scores: Tensor, before: Tensor, after: Tensor, threshold: float | None
) -> Histogram:
    positive = before & (scores > 0)
    logs = scores.double().clamp_min(1e-300).log10()
    low = high = 0.0
    if bool(positive.any()):
        low, high = (float(v) for v in torch.aminmax(logs[positive]))
    high = max(high, low + 1e-6)
    return Histogram(
        name=name,
        low=low,
        high=high,
        live=_count(logs[positive & after], low, high),
        removed=_count(logs[positive & ~after], low, high),
        below=int((before & ~positive).sum()),
        gone=int((~before).sum()),
        cut=_log10(threshold),
    )


def _count(logs: Tensor, low: float, high: float) -> tuple[int, ...]:
    place = ((logs - low) * (BINS / (high - low))).long().clamp_(0, BINS - 1)
    return tuple(torch.bincount(place, minlength=BINS).tolist())


def _log10(threshold: float | None) -> float | None:
    if threshold is None or threshold <= 0:
        return None
    return float(torch.tensor(threshold, dtype=torch.float64).log10())
