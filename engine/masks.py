"""Masks: which weights are kept, keyed by parameter name."""

import hashlib

import torch
from torch import Tensor

from engine.errors import RunError

Masks = dict[str, Tensor]  # bool, shaped as the weight; True = kept


def from_zeros(weights: dict[str, Tensor]) -> Masks:
    """Masks that keep every weight that is not exactly zero."""
    return {name: weight != 0 for name, weight in weights.items()}


def zeros(masks: Masks) -> int:
    """How many weights are removed."""
    return sum(mask.numel() - int(mask.sum()) for mask in masks.values())


def total(masks: Masks) -> int:
    """How many weights the masks cover."""
    return sum(mask.numel() for mask in masks.values())


def sparsity(masks: Masks) -> float:
    """Removed fraction of the covered weights; 0 when there are none."""
    return zeros(masks) / max(total(masks), 1)


def removed_between(before: Masks, after: Masks) -> Masks:
    """True where a weight is kept in `before` and not in `after`."""
    return {name: before[name] & ~after[name] for name in before}


@torch.no_grad()
def apply(masks: Masks, weights: dict[str, Tensor]) -> None:
    """Set removed weights to zero, in place."""
    for name, mask in masks.items():
        weights[name].masked_fill_(~mask, 0.0)


def ensure_held(masks: Masks, weights: dict[str, Tensor]) -> None:
    """See that every removed weight is still zero.

    Raises:
        RunError: One is not.
    """
    for name, mask in masks.items():
        if bool(weights[name][~mask].any()):
            raise RunError(
                f"Removed weights of {name} came back.",
                "This is a bug; please report it with the run folder.",
            )


def digest(masks: Masks) -> str:
    """SHA-256 over names and masks, a byte a weight; the same on every device."""
    sha = hashlib.sha256()
    for name in sorted(masks):
        sha.update(name.encode())
        kept = masks[name].reshape(-1).to("cpu", torch.uint8).numpy()
        sha.update(kept.tobytes())
    return sha.hexdigest()
