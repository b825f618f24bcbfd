"""Unstructured pruning: every weight is on its own."""

from typing import ClassVar, Literal

from pydantic import ConfigDict

from engine.allocation.units import Units
from engine.curvature.base import Curvature, Tensors
from engine.masks import Masks
from engine.patterns.base import Pattern


class Unstructured(Pattern):
    """Any weight may go."""

    single: ClassVar[bool] = True
    model_config = ConfigDict(title="Unstructured")
    kind: Literal["unstructured"] = "unstructured"

    def _units(
        self, curvature: Curvature, weights: Tensors, masks: Masks, scores: Tensors
    ) -> dict[str, Units]:
        return {
            name: Units(scores[name].reshape(-1), mask.reshape(-1))
            for name, mask in masks.items()
        }
