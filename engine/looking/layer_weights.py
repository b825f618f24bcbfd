"""Layer weights: what is drawn of a layer, and what goes with one of its weights."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """A layer of a network on show.

    Attributes:
        name: Full parameter name.
        values: Weights (out, in, *kernel), float32.
        gone: Weights that are zero (measured), bool, of the same shape.
        going: Weights that a prune would remove (predicted), likewise.
    """

    name: str
    values: np.ndarray
    gone: np.ndarray
    going: np.ndarray

    @property
    def zeros(self) -> int:
        """Weights that are gone."""
        return int(self.gone.sum())


@dataclass(frozen=True)
class Saliency:
    """How much a weight matters among others, where rank 1 goes first.

    A weight of a group has the saliency of its group, per weight.

    Attributes:
        value: In the units of the method.
        rank, among: In its layer.
        overall, of: Among all scored weights, as the target compares layers; None
            where only its layer was scored.
    """

    value: float
    rank: int
    among: int
    overall: int | None = None
    of: int | None = None


@dataclass(frozen=True)
class Mover:
    """A survivor that takes over from a removed weight.

    Attributes:
        layer: Full parameter name.
        position: In the flattened weight.
        before: As it is now.
        move: What is added to it.
    """

    layer: str
    position: int
    before: float
    move: float


@dataclass(frozen=True)
class SingleRemoval:
    """What comes of removing one weight alone; nothing of it was measured.

    Attributes:
        layer: Full parameter name.
        position: In the flattened weight.
        value: As it is now.
        loss: Predicted increase; None where the method foretells none.
        movers: The survivors that move most, the first furthest.
        share: Of the sum of all survivors' moves, by size, that those take.
        saliency: By the fitted curvature; None of a weight that is gone.
    """

    layer: str
    position: int
    value: float
    loss: float | None
    movers: tuple[Mover, ...]
    share: float
    saliency: Saliency | None
