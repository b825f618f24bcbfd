"""The structured inverse curvature that FishLeg learns, and where it starts."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor, nn

from engine.curvature.groups import at, row_products
from engine.curvature.kronecker import kronecker_factors
from engine.errors import RunError
from engine.gradients.collector import Fetch
from engine.gradients.ways import Owners
from engine.monitor import Monitor
from engine.problem import Problem

TOLERANCE = 1e-6  # relative residual at which a joint removal counts as solved
ITERATIONS = 200  # most products of one joint removal


@dataclass(frozen=True)
class Structure:
    """Q U = A . (R^T R (A . U) L L^T) for weights as a grid U (groups, out, in).

    Positive definite whatever the factors (Garcia et al., "Fisher-Legendre
    optimization", 2023). Groups are those of a convolution; biases stay out. Memory per
    group out^2 + in^2 + out in, a product out^2 in + out in^2.

    Attributes:
        scale: A (groups, out, in).
        left: R (groups, out, out).
        right: L (groups, in, in).
    """

    scale: Tensor
    left: Tensor
    right: Tensor

    def product(self, values: Tensor) -> Tensor:
        """Q u for u of any shape (..., numel) or (probes, *weight shape)."""
        grid = self.scale * values.reshape(-1, *self.scale.shape)
        turned = self.left.mT @ (self.left @ grid @ self.right) @ self.right.mT
        return (self.scale * turned).reshape(values.shape)

    def diag(self) -> Tensor:
        """Diagonal of Q (numel,): A^2 . (diag R^T R)(diag L L^T)^T."""
        rows, columns = self.left.square().sum(1), self.right.square().sum(2)
        return (self.scale.square() * rows[:, :, None] * columns[:, None]).reshape(-1)

    def moved(self, by: "Structure") -> "Structure":
        """Every factor changed by a share of itself; at 0 nothing changes."""
        return Structure(
            self.scale * (1 + by.scale),
            self.left + by.left @ self.left,
            self.right + self.right @ by.right,
        )

    def still(self) -> "Structure":
        """Shares of 0 for `moved`, to be learned."""
        zeros = {k: torch.zeros_like(v) for k, v in self.tensors().items()}
        return Structure(**{k: v.requires_grad_() for k, v in zeros.items()})

    def times(self, factor: float) -> "Structure":
        """`factor` Q."""
        return dataclasses.replace(self, scale=self.scale * factor**0.5)

    def tensors(self) -> dict[str, Tensor]:
        """The factors by name; `Structure(**tensors)` makes it again."""
        return {"scale": self.scale, "left": self.left, "right": self.right}


class StructuredInverse:
    """M Q M, M the mask: the inverse of the Fisher of the weights that are left.

    Args:
        structure: Q.
        live: (numel,) bool, True = kept.
        name: Of the layer, for words to the person.
        monitor: Hears of a joint removal that could not be solved.
    """

    def __init__(
        self, structure: Structure, live: Tensor, name: str, monitor: Monitor
    ) -> None:
        factors = structure.tensors().items()
        self._structure = Structure(**{k: v.double() for k, v in factors})
        self._live, self._name, self._monitor = live, name, monitor

    def diag(self) -> Tensor:
        """Diagonal of Q (numel,); removed weights have one too."""
        return self._structure.diag()

    def solve(self, vector: Tensor) -> Tensor:
        """M Q M v (numel,)."""
        return self._structure.product(vector * self._live) * self._live

    def within(self, groups: Tensor) -> Tensor:
        """Q among the members of groups, each in one row of the weight.

        Between columns j and k of row i it is A_ij A_ik (R^T R)_ii (L L^T)_jk.
        """
        rows = self._structure.left.square().sum(1).reshape(-1, 1)  # of (R^T R)_ii
        found = row_products(groups, len(self._live), self._structure.right, rows)
        scale = at(self._structure.scale.reshape(-1), groups)
        return scale[:, :, None] * found * scale[:, None]

    def pieces(self, removed: Tensor) -> Iterator[tuple[slice, "StructuredInverse"]]:
        """One: all weights of a layer interact."""
        if removed.any():
            yield slice(None), self

    def joint(self, weights: Tensor, removed: Tensor) -> tuple[Tensor, float]:
        """Step d = -Q x and loss w_R^T x / 2, for Q_RR x = w_R.

        By conjugate gradients with the diagonal as preconditioner.

        Raises:
            RunError: They are not finite.
        """
        gone = removed & self._live
        target, scale = weights * gone, self.diag()
        x = torch.zeros_like(target)
        left = target.clone()
        turned = left / scale
        way, size = turned, left @ turned
        enough = TOLERANCE * target.norm()
        for _ in range(ITERATIONS):
            if left.norm() <= enough:
                break
            self._monitor.check()
            seen = self.solve(way) * gone
            step = size / (way @ seen)
            x, left = x + step * way, left - step * seen
            turned = left / scale
            size, before = left @ turned, size
            way = turned + (size / before) * way
        loss = float(target @ x) / 2
        if not isfinite(loss):
            raise RunError(
                f"The joint removal in {self._name} is not finite.",
                "Raise estimator.damping, or set estimator.compensation to sum.",
            )
        if left.norm() > enough:
            self._monitor.notice(
                f"The joint removal in {self._name} was solved to a relative residual "
                f"of {float(left.norm() / target.norm()):.0e}.",
                "Raise estimator.damping for an inverse that is better conditioned.",
            )
        return -self.solve(x), loss


def identities(owners: Owners, weights: dict[str, Tensor]) -> dict[str, Structure]:
    """Q = I for every layer, where ranks are those of magnitude."""
    found = {}
    for module, name in owners.items():
        weight = weights[name]
        groups, rows, columns = _grid(module, weight)
        found[name] = Structure(
            weight.new_ones(groups, rows, columns),
            _eye(weight, groups, rows),
            _eye(weight, groups, columns),
        )
    return found


def kronecker_start(
    problem: Problem,
    owners: Owners,
    order: Tensor,
    fetch: Fetch,
    damping: float,
    monitor: Monitor,
) -> dict[str, Structure]:
    """K-FAC's inverse, which has the same structure.

    Raises:
        RunError: A layer saw no gradient, or one that is not finite.
    """
    weights = problem.weights()
    found = identities(owners, weights)
    for name, factors in kronecker_factors(problem, order, fetch, monitor).items():
        basis = factors.basis(name)
        left, right = basis.damped(damping, balanced=True)
        found[name] = dataclasses.replace(
            found[name],
            left=_root(basis.rows, left).to(weights[name]),
            right=_root(basis.columns, right).to(weights[name]),
        )
    return found


def _root(vectors: Tensor, values: Tensor) -> Tensor:
    """Symmetric inverse root of vectors diag(values) vectors^T."""
    return (vectors * values.rsqrt()[:, None]) @ vectors.mT


def _eye(like: Tensor, groups: int, size: int) -> Tensor:
    one = torch.eye(size, dtype=like.dtype, device=like.device)
    return one.repeat(groups, 1, 1)


def _grid(module: nn.Module, weight: Tensor) -> tuple[int, int, int]:
    """(groups, out, in) of a weight."""
    groups = getattr(module, "groups", 1)
    return groups, len(weight) // groups, weight[0].numel()
