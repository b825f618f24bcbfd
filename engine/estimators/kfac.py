"""K-FAC pruning: Optimal Brain Surgeon with a Kronecker-factored Fisher."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import ConfigDict

from engine.curvature.kronecker import (
    Basis,
    KroneckerInverse,
    kronecker_factors,
    kronecker_work,
)
from engine.curvature.obs import ObsCurvature
from engine.estimators.base import Estimator, Tensors
from engine.facts import LayerInfo
from engine.gradients.moments import choose, single_gradients
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import SINGLE, Work
from engine.problem import Fisher, Problem


class KfacCurvature(ObsCurvature):
    """Saliency w_ij^2 / (2 [G^-1]_ii [A^-1]_jj) and the summed update -G^-1 V A^-1."""

    joins = False  # a joint removal breaks the structure


class KFAC(Estimator):
    """One Kronecker product G (x) A per linear or convolution layer.

    Martens and Grosse, 2015; Grosse and Martens, 2016 (convolutions); for pruning Zeng
    and Urtasun, "MLPrune", 2018. G and A are means over single images, of inputs and of
    gradients of each image's own loss; biases stay as they are. Eigenvalue correction
    (George et al., EKFAC, 2018) measures the Fisher's diagonal in the Kronecker basis,
    with plain damping. Cost: time O(sum of in^3 + out^3) and one or two passes over the
    images, memory O(sum of in^2 + out^2), no product in full.
    """

    model_config = ConfigDict(title="K-FAC")
    fits_apart: ClassVar[bool] = True
    kind: Literal["kfac"] = "kfac"
    images: int = field(
        2000, "Images",
        "Training images, one gradient each; WoodFisher's comparison took 50,000.",
        ge=1, le=10_000_000, unit="images",
    )  # fmt: skip
    damping: float = field(
        1e-5, "Damping",
        "Its square root is added to both factors; published with 1e-5.",
        gt=0, le=1e6,
    )  # fmt: skip
    balanced: bool = field(
        True, "Balanced damping",
        "Share the damping between the factors by their mean eigenvalues (pi); off "
        "gives both the same.",
    )  # fmt: skip
    corrected: bool = field(
        False, "Eigenvalue correction",
        "EKFAC: measure the Fisher's diagonal in the Kronecker basis; a second pass.",
    )  # fmt: skip
    fisher: Fisher = field(
        "empirical", "Fisher",
        "Labels of the gradients: the data's (empirical), or drawn from the network's "
        "softmax (true).", advanced=True,
    )  # fmt: skip
    compensation: Literal["none", "sum"] = field(
        "sum", "Compensation",
        "How survivors make up for the removed: not, or by summed single-weight "
        "updates.",
    )  # fmt: skip
    strength: float = field(
        1.0, "Compensation strength", "Scales the correction; 1 is the full update.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """Both factors, their eigenvectors, and single gradients for a correction."""
        images = min(self.images, train)
        passes = (1 + SINGLE * self.corrected) * images
        return Work(passes) + kronecker_work(layers, images)

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> KfacCurvature:
        """Gather both factors of the network as it is now and turn to their basis.

        Raises:
            InputError: A layer is neither linear nor a convolution.
            RunError: There are no images, or gradients are missing or not finite.
        """
        with monitor.phase("gradients"):
            order = choose(problem, self.images, seed, monitor)
            fetch = problem.fetch(self.fisher, seed)
            factors = kronecker_factors(problem, order, fetch, monitor)
        with monitor.phase("curvature"):
            bases = {
                name: factors.pop(name).basis(name)
                for name in monitor.track(tuple(factors), "Curvature")
            }
            values = {
                name: basis.factored(self.damping, self.balanced)
                for name, basis in bases.items()
            }
            plain = {name: basis.plain for name, basis in bases.items()}
        dead = [name for name, basis in bases.items() if not bool(basis.alive.all())]
        if self.balanced and not self.corrected and dead:
            monitor.notice(
                f"The damping of {', '.join(dead)} is not balanced: all inputs or all "
                "gradients of a layer or group are zero.",
                "Take more images, or exclude these layers.",
            )
        if self.corrected:
            with monitor.phase("gradients"):
                rows = single_gradients(problem, order, fetch, masks, monitor)
                squares = _mean_squares(rows, bases, len(order))
            plain = squares
            values = {name: each + self.damping for name, each in squares.items()}
        inverses = {
            name: KroneckerInverse(
                basis, values[name], plain[name], masks[name].reshape(-1)
            )
            for name, basis in bases.items()
        }
        return KfacCurvature(
            inverses, self.compensation, self.strength, monitor=monitor
        )


def _mean_squares(
    gradients: Iterable[Tensors], bases: dict[str, Basis], images: int
) -> Tensors:
    """Mean squares (groups, out, in) of single-image gradients in each basis."""
    totals = dict.fromkeys(bases, 0.0)
    for rows in gradients:
        for name, each in rows.items():
            totals[name] = totals[name] + bases[name].turn(each.double()).square().sum(
                0
            )
    return {name: total / images for name, total in totals.items()}
