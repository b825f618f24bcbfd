"""What the inverse curvature of a layer answers, whatever structure it has."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from torch import Tensor


class Piece(Protocol):
    """Part of a layer's inverse curvature that does not interact with the rest."""

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v on this part."""

    def joint(self, weights: Tensor, removed: Tensor) -> tuple[Tensor, float]:
        """The step with d = -w on the removed that minimises 1/2 d^T F d, its loss."""


class Inverse(Protocol):
    """The inverse curvature F^-1 of one layer; vectors are (numel,) float64.

    Weights that are removed already are zero in every vector and stay out of play.
    """

    def diag(self) -> Tensor:
        """Diagonal of F^-1."""

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v."""

    def within(self, groups: Tensor) -> Tensor:
        """F^-1 among the members of each group (groups, size, size), 0 for nobody."""

    def greedy(self, weights: Tensor) -> Tensor:
        """Loss at which greedy elimination in each block removes each weight."""

    def pieces(self, removed: Tensor) -> Iterator[tuple[slice, Piece]]:
        """Parts of which something is removed, and where in a vector they are."""


@runtime_checkable
class Measured(Protocol):
    """An inverse that knows what Fisher and damping it is of.

    Attributes:
        damping: (blocks,) that was added.
        weights: That are live.
        squares: Sum of the diagonal of F over them, without damping.
        raised: Blocks whose damping had to grow.
    """

    damping: Tensor
    weights: int
    squares: float
    raised: int
