"""Settling: how far what is removed depends on which gradients, and how many, came."""

from dataclasses import dataclass

import numpy as np

from engine.allocation.base import Allocation
from engine.facts import LayerStability
from engine.looking.agreement import overlap
from engine.looking.damping import Advice, DampingStudy
from engine.words.units import percent

SETTLED = 0.95  # of the removed weights that must be the same for fewer gradients to do
MOVING = 0.9  # below, half of the gradients remove others, so twice as many would too


@dataclass(frozen=True)
class Settling:
    """What a target removes by parts of the gradients and by bootstrap samples of them.

    Attributes:
        parts: Numbers of gradients, rising; the last is all (N).
        shares: Of the weights that all gradients remove, those that each part does.
        layers: Overlap of what bootstrap samples remove with what all gradients do.
        overlaps: By part and layer (parts, layers), the same for parts.
        whole: Mean overlap of the bootstrap samples over all layers together.
    """

    parts: tuple[int, ...]
    shares: tuple[float, ...]
    layers: tuple[LayerStability, ...]
    overlaps: tuple[tuple[float, ...], ...]
    whole: float


def settling(study: DampingStudy, allocation: Allocation) -> Settling:
    """Apply a target to saliencies of the study, at the damping it was made with.

    Bootstrap samples reweight the gradients; parts are the first of them. The overlap
    of two sets is their intersection over their union (Jaccard).

    Raises:
        InputError: A floor is above a ceiling.
    """
    sample = study.fewer
    parts = [sample.removed(scores, allocation) for scores in study.part_scores]
    drawn = [sample.removed(scores, allocation) for scores in study.drawn]
    every, count = parts[-1], max(int(parts[-1].sum()), 1)
    each = [sample.overlaps(every, other) for other in drawn]
    layers = tuple(
        LayerStability(layer.name, float(np.mean(found)), min(found))
        for layer, found in zip(sample.layers, zip(*each, strict=True), strict=True)
    )
    return Settling(
        study.parts,
        tuple(float((part & every).sum()) / count for part in parts),
        layers,
        tuple(tuple(sample.overlaps(every, part)) for part in parts),
        float(np.mean([overlap(every, other) for other in drawn])),
    )


def suggested_samples(study: DampingStudy, settled: Settling) -> Advice:
    """The fewest gradients that remove 95 % of what all do, or twice as many.

    Twice as many where half of them remove less than 90 % of what all do, because the
    set is still moving then, as far as there are images for them. It is about what
    goes; the compensation of survivors may gain from more.
    """
    *fewer, last = zip(settled.parts, settled.shares, strict=True)
    count = last[0]
    for part, share in fewer:
        if share >= SETTLED:
            why = f"{part} gradients remove {percent(share, 0)} of what {count} do"
            return Advice(part, f"{why}, so fewer do")
    if not fewer:
        return Advice(count, "there are too few gradients to take parts of them")
    part, share = fewer[-1]
    why = f"{part} gradients remove {percent(share, 0)} of what {count} do"
    if share >= MOVING:
        return Advice(count, f"{why}, so {count} are about enough")
    most = study.images if study.batch == 1 else 2 * count
    if count >= most:
        return Advice(count, f"{why}: still moving, but there are no more images")
    more = min(2 * count, most)
    return Advice(more, f"{why}: still moving, so try {more}")
