"""FishLeg pruning: Optimal Brain Surgeon with an inverse Fisher that is learned."""

from math import isfinite
from typing import Literal

from pydantic import ConfigDict

from engine.curvature.auxiliary import (
    Auxiliary,
    Certificate,
    Learning,
    Structures,
    residual,
)
from engine.curvature.fishleg import (
    Structure,
    StructuredInverse,
    identities,
    kronecker_start,
)
from engine.curvature.kronecker import kronecker_work
from engine.curvature.obs import ObsCurvature
from engine.errors import RunError
from engine.estimators.base import Estimator
from engine.facts import LayerInfo
from engine.gradients.moments import choose
from engine.gradients.owners import owners_of
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import Work
from engine.problem import Fisher, Learned, Problem
from engine.seeds import generator

CERTIFYING = 4  # probes of a certificate
POOR = 1.0  # relative residual of an inverse that is no better than none


class FishLegCurvature(ObsCurvature):
    """Optimal Brain Surgeon that remembers the structures it came from.

    Args:
        structures: Q per layer.
        inverses: The same, as inverses of the live weights.
        settings: Compensation and its strength.
        monitor: Hears how far a correction is.
    """

    def __init__(
        self,
        structures: Structures,
        inverses: dict[str, StructuredInverse],
        settings: "FishLeg",
        monitor: Monitor,
    ) -> None:
        kind, strength = settings.compensation, settings.strength
        super().__init__(inverses, kind, strength, monitor=monitor)
        self.structures = structures


class FishLeg(Estimator):
    """A structured inverse Fisher per layer, learned from products with the Fisher.

    Garcia et al., "Fisher-Legendre (FishLeg) optimization", 2023, and the FishLeg
    surgeon, McGowan et al., 2024: Q ~ (F + damping I)^-1 minimises
    E_u [1/2 v^T (F + damping I) v - u^T v], v = Q u, with normal probes u, by a
    preconditioned slope and Adam. Products with F are exact, by jvp and vjp of each
    layer; removed weights stay out. Q has a block per layer, so normalisation, which is
    never pruned, needs none. The next prune step goes on from what was learned.
    Started from K-FAC, no step at all is K-FAC with its best scale per layer. Such
    probes ask most of directions with little curvature, so the loss may fall while the
    residual, which asks most of those with much, does not. Cost: a step is a pass
    forward and back and as many layer products as probes; memory per layer out^2 +
    in^2 + out in, however many images there are.
    """

    model_config = ConfigDict(title="FishLeg")
    kind: Literal["fishleg"] = "fishleg"
    images: int = field(
        2000, "Images", "Training images whose single gradients make the Fisher.",
        ge=1, le=10_000_000, unit="images",
    )  # fmt: skip
    damping: float = field(
        1e-5, "Damping",
        "Added to the Fisher's diagonal; the true Fisher is larger and takes more.",
        gt=0, le=1e6,
    )  # fmt: skip
    iterations: int = field(
        100, "Auxiliary steps", "Of learning in each prune step; 0 keeps the start.",
        ge=0, le=1_000_000,
    )  # fmt: skip
    batch: int = field(
        64, "Images per step", "That the Fisher of one auxiliary step is a mean over.",
        ge=1, le=100_000, unit="images",
    )  # fmt: skip
    probes: int = field(
        4, "Probes per step", "Random vectors an auxiliary step learns from.",
        ge=1, le=10_000,
    )  # fmt: skip
    learning_rate: float = field(
        3e-4, "Learning rate",
        "Of Adam, as a share of each factor; 0.0001 to 0.003, more overshoots.",
        gt=0, le=1,
    )  # fmt: skip
    start: Literal["kfac", "identity"] = field(
        "kfac", "Start",
        "Where learning begins: K-FAC's factors, or the identity as published, which "
        "takes many more steps.",
    )  # fmt: skip
    refine: bool = field(
        True, "Refine",
        "Go on from the last prune step's inverse instead of starting anew.",
    )  # fmt: skip
    fisher: Fisher = field(
        "empirical", "Fisher",
        "Labels of the gradients: the data's (empirical), or drawn from the network's "
        "softmax (true, as published).", advanced=True,
    )  # fmt: skip
    compensation: Literal["none", "sum", "joint"] = field(
        "sum", "Compensation",
        "How survivors make up for the removed: not, by summed single-weight updates, "
        "or by the exact joint update per layer.",
    )  # fmt: skip
    strength: float = field(
        1.0, "Compensation strength", "Scales the correction; 1 is the full update.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """K-FAC to start from, a certificate before and after, and the steps between.

        A product of a layer for each probe takes two thirds of a pass.
        """
        images, batch = min(self.images, train), min(self.batch, train)
        certified = images * (1 + 2 / 3 * CERTIFYING) * (2 if self.iterations else 1)
        learned = self.iterations * batch * (1 + 2 / 3 * self.probes)
        found = Work(certified + learned)
        if self.start == "kfac":
            found += Work(images) + kronecker_work(layers, images)
        return found

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> FishLegCurvature:
        """Learn the inverse for the network as it is now, and say how good it is.

        Raises:
            InputError: A layer is neither linear nor a convolution.
            RunError: There are no images, or gradients are missing or not finite.
        """
        order = choose(problem, self.images, seed, monitor)
        fetch = problem.fetch(self.fisher, seed)
        owners = owners_of(problem, "FishLeg")
        loss = Auxiliary(problem, owners, order, fetch, masks, self.damping)
        with monitor.phase("gradients"):
            start = self._start(loss, monitor)
        with monitor.phase("curvature"):
            learned = self._learn(loss, start, monitor, seed)
        inverses = {
            name: StructuredInverse(each, masks[name].reshape(-1), name, monitor)
            for name, each in learned.items()
        }
        return FishLegCurvature(learned, inverses, self, monitor)

    def learned(self, curvature: FishLegCurvature) -> Learned:
        """The structures, which the next prune step refines."""
        return {name: each.tensors() for name, each in curvature.structures.items()}

    def _start(self, loss: Auxiliary, monitor: Monitor) -> Structures:
        problem = loss.problem
        if self.refine and problem.learned:
            return {name: Structure(**problem.learned[name]) for name in problem.names}
        if self.start == "identity":
            return identities(loss.owners, problem.weights())
        return kronecker_start(
            problem, loss.owners, loss.order, loss.fetch, self.damping, monitor
        )

    def _learn(
        self, loss: Auxiliary, start: Structures, monitor: Monitor, seed: int
    ) -> Structures:
        """The best-scaled start, or what it led to where that lowers the loss."""

        def certify(found: Structures) -> dict[str, Certificate]:
            probes = generator(seed, "certificate")
            return loss.certify(found, CERTIFYING, probes, monitor)

        first = certify(start)
        _check(first)
        start = _scaled(start, first)
        if not self.iterations:
            self._tell(first, first, monitor)
            return start
        learning = Learning(
            self.iterations, self.learning_rate, self.batch, self.probes
        )
        moved = loss.learn(start, learning, generator(seed, "auxiliary"), monitor)
        last = certify(moved)
        better = {n: each for n, each in last.items() if each.value <= first[n].value}
        self._tell(first, first | better, monitor)
        if len(better) < len(last):
            monitor.notice(
                f"{len(last) - len(better)} of {len(last)} layers kept the inverse "
                "they started from: learning made it worse.",
                "Lower estimator.learning_rate, or raise estimator.probes.",
            )
        return start | _scaled(moved, better)

    def _tell(
        self,
        before: dict[str, Certificate],
        after: dict[str, Certificate],
        monitor: Monitor,
    ) -> None:
        """The certificate; a residual of 1 is no better than Q = 0, in any layer."""
        error = residual(after.values())
        worst = max(after, key=lambda name: residual([after[name]]))
        most = residual([after[worst]])
        first, last = (sum(c.value for c in each.values()) for each in (before, after))
        learned = (
            f"; {self.iterations} auxiliary steps brought it there from "
            f"{residual(before.values()):.2g} and lowered the auxiliary loss by "
            f"{last / first - 1:.1%}"
        )
        poor = most >= POOR
        monitor.notice(
            f"FishLeg's inverse Q leaves |(F + damping) Q u - u| / |u| = {error:.2g} "
            f"on random probes u, at most {most:.2g} in {worst}"
            f"{learned if self.iterations and first else ''}.",
            "Raise estimator.damping, or exclude that layer." if poor else "",
            level="warning" if poor else "info",
        )


def _scaled(found: Structures, told: dict[str, Certificate]) -> Structures:
    """These layers' inverses, each with the scale that suits it best."""
    return {name: found[name].times(each.scale) for name, each in told.items()}


def _check(found: dict[str, Certificate]) -> None:
    for name, each in found.items():
        if not isfinite(each.error):
            raise RunError(
                f"The gradients of {name} are not finite.",
                "Check that the checkpoint, the normalisation and the network's output "
                "kind fit together.",
            )
