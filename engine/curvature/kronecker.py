"""Kronecker factors of a layer's Fisher, and the inverse they give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.curvature.covariance import PIECE, by_group, seen
from engine.curvature.groups import row_products
from engine.errors import RunError
from engine.facts import LayerInfo
from engine.gradients.backward import first_input, frozen, observe
from engine.gradients.collector import Fetch
from engine.gradients.outer import fits
from engine.gradients.owners import owners_of
from engine.monitor import Monitor
from engine.planning.work import EIGEN, Work, inputs_work, outputs_work, sides
from engine.problem import Problem


@dataclass(frozen=True)
class Factors:
    """F ~ G (x) A for weights flattened (out, in), per group of a convolution.

    A = E sum_t a_t a_t^T adds the positions t of an image up and G = E mean_t g_t g_t^T
    averages them (Grosse and Martens, 2016), so that F has the scale of one image's
    gradient sum_t g_t a_t^T. A linear layer on vectors has a single position.

    Attributes:
        a: Of inputs (groups, in, in), float64; no constant input for the bias.
        g: Of output gradients (groups, out, out), float64.
    """

    a: Tensor
    g: Tensor

    def basis(self, name: str) -> "Basis":
        """Eigenvectors of both; float64 eigenvalues at least 0.

        Raises:
            RunError: A factor of the layer of this name has no eigenvalues.
        """
        try:
            inputs, columns = torch.linalg.eigh(self.a)
            outputs, rows = torch.linalg.eigh(self.g)
        except torch.linalg.LinAlgError as error:
            raise RunError(
                f"The Kronecker factors of {name} have no eigenvalues.",
                "Take more images, or exclude this layer.",
            ) from error
        return Basis(rows, columns, outputs.clamp_min(0), inputs.clamp_min(0))


@dataclass(frozen=True)
class Basis:
    """Where the Kronecker-factored Fisher is diagonal.

    Attributes:
        rows: Eigenvectors of G (groups, out, out), one a column.
        columns: Eigenvectors of A (groups, in, in).
        outputs, inputs: Eigenvalues (groups, out) and (groups, in).
    """

    rows: Tensor
    columns: Tensor
    outputs: Tensor
    inputs: Tensor

    @property
    def alive(self) -> Tensor:
        """Whether neither factor is zero (groups,)."""
        return (self.inputs.mean(1) > 0) & (self.outputs.mean(1) > 0)

    @property
    def plain(self) -> Tensor:
        """Eigenvalues (groups, out, in) of G (x) A."""
        return self.outputs[:, :, None] * self.inputs[:, None]

    def diagonal(self, values: Tensor) -> Tensor:
        """Diagonal (numel,) of what has these eigenvalues (groups, out, in)."""
        rows, columns = self.rows.square(), self.columns.square()
        return (rows @ values @ columns.mT).reshape(-1)

    def turn(self, values: Tensor) -> Tensor:
        """(..., numel) in weights to (..., groups, out, in) in this basis."""
        shape = (len(self.rows), self.rows.shape[1], self.columns.shape[1])
        grid = values.reshape(*values.shape[:-1], *shape)
        return self.rows.mT @ grid @ self.columns

    def turn_back(self, values: Tensor) -> Tensor:
        """(groups, out, in) in this basis to (numel,) in weights."""
        return (self.rows @ values @ self.columns.mT).reshape(-1)

    def factored(self, damping: float, balanced: bool) -> Tensor:
        """Eigenvalues (groups, out, in) of the product of both damped factors."""
        left, right = self.damped(damping, balanced)
        return left[:, :, None] * right[:, None]

    def damped(self, damping: float, balanced: bool) -> tuple[Tensor, Tensor]:
        """Eigenvalues of G + sqrt(l / p) I and of A + sqrt(l p) I for damping l.

        p = (tr A / dim A) / (tr G / dim G) where balanced and finite, else 1.
        """
        ratio = self.inputs.mean(1) / self.outputs.mean(1)
        ratio = torch.where(balanced & self.alive, ratio, 1.0)
        left = self.outputs + (damping / ratio).sqrt()[:, None]
        return left, self.inputs + (damping * ratio).sqrt()[:, None]


class KroneckerInverse:
    """Inverse of a Fisher that is diagonal in a Kronecker basis, never materialised.

    Weights that are removed already stay out of every product, but the diagonal counts
    them as free: the structure does not allow to leave them out.

    Args:
        basis: Eigenvectors of both factors.
        values: Damped eigenvalues (groups, out, in), positive.
        plain: The same without damping.
        live: (numel,) bool, True = kept.

    Attributes:
        damping: (groups,) what was added to the eigenvalues, in the mean.
        weights: That are live.
        squares: Sum of the diagonal of F over them, without damping.
        raised: Groups whose damping had to grow: none.
    """

    raised = 0

    def __init__(
        self, basis: Basis, values: Tensor, plain: Tensor, live: Tensor
    ) -> None:
        self._basis, self._values, self._live = basis, values, live
        self.damping = (values - plain).mean((1, 2))
        self.weights = int(live.sum())
        self.squares = float(basis.diagonal(plain)[live].sum())

    def diag(self) -> Tensor:
        """Diagonal of F^-1 (numel,)."""
        return self._basis.diagonal(1 / self._values)

    def within(self, groups: Tensor) -> Tensor:
        """F^-1 among the members of groups, each in one row of the weight.

        Between columns j and k of row i it is sum_b C_jb (sum_a R_ia^2 / V_ab) C_kb for
        eigenvectors R of G and C of A and eigenvalues V.
        """
        shares = self._basis.rows.square() @ (1 / self._values)
        scales = shares.flatten(0, 1)
        return row_products(groups, len(self._live), self._basis.columns, scales)

    def pieces(self, removed: Tensor) -> Iterator[tuple[slice, "KroneckerInverse"]]:
        """One: all weights of a layer interact."""
        if removed.any():
            yield slice(None), self

    def solve(self, vector: Tensor) -> Tensor:
        """F^-1 v (numel,), zero on removed weights."""
        turned = self._basis.turn(vector) / self._values
        return self._basis.turn_back(turned) * self._live


def kronecker_factors(
    problem: Problem, order: Tensor, fetch: Fetch, monitor: Monitor
) -> dict[str, Factors]:
    """Factors of every prunable layer from single-image losses, in eval mode.

    Args:
        problem: The network.
        order: Image numbers (images,).
        fetch: Gives images and their losses.
        monitor: Hears of progress.

    Raises:
        InputError: A layer is neither linear nor a convolution.
        RunError: A layer saw no gradient, or one that is not finite.
    """
    owners = owners_of(problem, "K-FAC")
    sums = {name: _Sums() for name in problem.names}

    def visit(module: nn.Module, args: tuple, kwargs: dict, gradient: Tensor) -> None:
        inputs = first_input(args, kwargs)
        if fits(module, inputs, 1):
            rows = seen(module, inputs, gradient)
            sums[owners[module]].add(rows, _slopes(module, gradient))

    with frozen(problem.model):
        for part in monitor.track(order.split(PIECE), "Kronecker factors"):
            observe(problem.model, owners, *fetch(part), visit)
    return {name: each.factors(name, len(order)) for name, each in sums.items()}


def kronecker_work(layers: Iterable[LayerInfo], images: int) -> Work:
    """Products for the factors of these layers and their eigenvectors."""
    total = 0.0
    for layer in layers:
        total += inputs_work(layer, images) + outputs_work(layer, images)
        total += EIGEN * sum(side**3 for side in sides(layer))
    return Work(products=total)


class _Sums:
    """Outer products of a layer's inputs and output gradients, added up."""

    def __init__(self) -> None:
        self._a: Tensor | float = 0.0
        self._g: Tensor | float = 0.0
        self._pairs = 0

    def add(self, inputs: Tensor, gradients: Tensor) -> None:
        self._a = self._a + inputs.mT @ inputs
        self._g = self._g + gradients.mT @ gradients
        self._pairs += inputs.shape[1]

    def factors(self, name: str, images: int) -> Factors:
        if not self._pairs:
            raise RunError(
                f"No gradient reached {name} through its own module.",
                "Exclude this layer, or choose WoodFisher.",
            )
        found = Factors(self._a / images, self._g / self._pairs)
        if not (found.a.isfinite().all() and found.g.isfinite().all()):
            raise RunError(
                f"The Kronecker factors of {name} are not finite.",
                "Check that the checkpoint, the normalisation and the network's output "
                "kind fit together.",
            )
        return found


def _slopes(module: nn.Module, gradient: Tensor) -> Tensor:
    """Output gradients (groups, images * positions, out) in float64."""
    if type(module) is nn.Linear:
        return gradient.reshape(1, -1, module.out_features).double()
    grid = gradient.double().reshape(
        len(gradient), module.groups, -1, gradient[0, 0].numel()
    )
    return by_group(grid)
